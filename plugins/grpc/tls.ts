import { ServerCredentials, credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js'
import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { type PeerCertificate, checkServerIdentity as checkIdentity } from 'node:tls'
import { PeerError, type Settings, messageOf } from '../../kernel/index.js'
import type { grpcKeys } from './keys.js'

/** What TLS reads of a site. */
export type TlsSettings = Pick<Settings<typeof grpcKeys>, 'peer.tls.enabled' | 'peer.tls.cert.file' | 'peer.tls.key.file' | 'peer.tls.serverhostoverride'>

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
 * (unset: the system's roots), the expected name `peer.tls.serverhostoverride` or the dialled host, that of `address` (spec/node.md §4).
 */
export function clientCredentials(settings: TlsSettings, address = ''): { readonly credentials: ChannelCredentials; readonly options: ChannelOptions } {
  if (!settings['peer.tls.enabled']) return { credentials: credentials.createInsecure(), options: {} }
  const trusted = trustedCertificate(settings) ?? null
  const name = settings['peer.tls.serverhostoverride']
  const { host } = splitAddress(address)
  if (name !== '') return { credentials: credentials.createSsl(trusted), options: { 'grpc.ssl_target_name_override': name } }
  if (isIP(host) === 0) return { credentials: credentials.createSsl(trusted), options: {} }
  // grpc-js would announce the IP address as server name, which RFC 6066 forbids and Node warns of (DEP0123): a name that says nothing instead.
  const checkServerIdentity = (_announced: string, certificate: PeerCertificate): Error | undefined => checkIdentity(host, certificate)
  return { credentials: credentials.createSsl(trusted, null, null, { checkServerIdentity }), options: { 'grpc.ssl_target_name_override': 'localhost' } }
}

/** What clients trust; undefined: the system's roots. Throws ERR_TLS_FILE. */
export function trustedCertificate(settings: TlsSettings): Buffer | undefined {
  const file = settings['peer.tls.cert.file']
  return file === undefined || file === '' ? undefined : readPem('peer.tls.cert.file', file)
}

/** Host and port of `host:port`, brackets of IPv6 taken off. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
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
