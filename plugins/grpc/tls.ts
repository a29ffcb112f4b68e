import { ServerCredentials, credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js'
import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { PeerError, type Settings, messageOf } from '../../kernel/index.js'
import type { grpcKeys } from './keys.js'

type TlsSettings = Pick<Settings<typeof grpcKeys>, 'peer.tls.enabled' | 'peer.tls.cert.file' | 'peer.tls.key.file' | 'peer.tls.serverhostoverride'>

/** The certificate and key of every listener, read and checked; undefined with TLS off (spec/node.md §4). */
export interface TlsMaterial {
  readonly certificatePem: Buffer
  readonly keyPem: Buffer
}

/** Reads and checks what TLS listeners need. Throws ERR_TLS_FILE or ERR_TLS_KEY_MISMATCH naming file and key. */
export function loadTls(settings: TlsSettings): TlsMaterial | undefined {
  if (!settings['peer.tls.enabled']) return undefined
  const certificatePem = readPem('peer.tls.cert.file', settings['peer.tls.cert.file'])
  const keyPem = readPem('peer.tls.key.file', settings['peer.tls.key.file'])
  const certificate = parse('peer.tls.cert.file', settings['peer.tls.cert.file'], 'a PEM certificate', () => new X509Certificate(certificatePem))
  const key = parse('peer.tls.key.file', settings['peer.tls.key.file'], 'a PEM private key without passphrase', (): KeyObject => createPrivateKey(keyPem))
  if (!certificate.checkPrivateKey(key)) {
    throw new PeerError(
      'ERR_TLS_KEY_MISMATCH',
      `the private key in ${settings['peer.tls.key.file']} does not belong to the certificate in ${settings['peer.tls.cert.file']}`,
      {
        hint: 'set peer.tls.cert.file and peer.tls.key.file to a pair',
      },
    )
  }
  return { certificatePem, keyPem }
}

/** Credentials of the listeners. */
export function serverCredentials(tls: TlsMaterial | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  return ServerCredentials.createSsl(null, [{ cert_chain: tls.certificatePem, private_key: tls.keyPem }])
}

/**
 * Credentials and options with which this peer, and the command line, dial peers: trust is exactly the certificate file
 * (unset: the system's roots), the expected name `peer.tls.serverhostoverride` or the dialled host (spec/node.md §4).
 */
export function clientCredentials(settings: TlsSettings): { readonly credentials: ChannelCredentials; readonly options: ChannelOptions } {
  if (!settings['peer.tls.enabled']) return { credentials: credentials.createInsecure(), options: {} }
  const file = settings['peer.tls.cert.file']
  const trusted = file === undefined || file === '' ? null : readPem('peer.tls.cert.file', file)
  const name = settings['peer.tls.serverhostoverride']
  return { credentials: credentials.createSsl(trusted), options: name === '' ? {} : { 'grpc.ssl_target_name_override': name } }
}

function readPem(key: string, file: string | undefined): Buffer {
  if (file === undefined || file === '') {
    throw new PeerError('ERR_TLS_FILE', `peer.tls.enabled is true, but ${key} is not set`, { hint: `set ${key} to a PEM file` })
  }
  try {
    return readFileSync(resolve(file))
  } catch (cause) {
    throw new PeerError('ERR_TLS_FILE', `Failed to generate credentials: ${key}: cannot read ${resolve(file)}: ${messageOf(cause)}`, { cause })
  }
}

function parse<T>(key: string, file: string | undefined, expected: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new PeerError('ERR_TLS_FILE', `Failed to generate credentials: ${key}: expected ${expected} in ${file}: ${messageOf(cause)}`, { cause })
  }
}
