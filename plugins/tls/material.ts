import type { KeyObject, X509Certificate } from 'node:crypto'
import { PeerError, type Settings } from '../../kernel/index.js'
import type { tlsKeys } from './keys.js'
import { type PemFile, certificatesIn, checkPair, privateKeyIn, readPem } from './pem.js'

/** The TLS settings of a site. */
export type TlsSettings = Settings<typeof tlsKeys>

/** A certificate with its key, as PEM for OpenSSL; `certificates`: the end entity's, then its issuers. */
export interface Identity {
  readonly certificatePem: Buffer
  readonly keyPem: Buffer
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]]
  readonly key: KeyObject
}

/** How this site dials: whom it trusts, whom it expects, what it shows of itself. */
export interface ClientTls {
  /** PEM; undefined: the authorities that this system trusts. */
  readonly rootsPem: Buffer | undefined
  /** The expected name; empty: the dialled host. */
  readonly serverName: string
  /** Shown to servers that ask for a client certificate. */
  readonly identity: Identity | undefined
}

/** Everything that TLS needs of files, read and checked. */
export interface TlsMaterial {
  readonly server: Identity
  /** PEM of the authorities of client certificates; undefined: none are asked for. */
  readonly clientRootsPem: Buffer | undefined
  readonly client: ClientTls
}

/** How a file is read; the default reads it from the disk. */
export type ReadPem = (file: PemFile) => Buffer

/** Reads and checks what a peer with TLS needs; undefined with TLS off (spec/node.md §4). Throws ERR_TLS_* naming key and file. */
export function loadTls(settings: TlsSettings, read: ReadPem = readPem): TlsMaterial | undefined {
  const clientAuth = settings['peer.tls.clientAuth']
  if (!settings['peer.tls.enabled']) {
    if (clientAuth === 'none') return undefined
    throw new PeerError('ERR_TLS_CONFIG', `peer.tls.clientAuth is ${clientAuth}, but peer.tls.enabled is false: without TLS there are no client certificates`, {
      hint: 'set peer.tls.enabled to true, or peer.tls.clientAuth to none',
    })
  }
  const server = identity(settings, 'peer.tls.cert.file', 'peer.tls.key.file', read)
  return { server, clientRootsPem: clientAuth === 'none' ? undefined : clientRoots(settings, read), client: loadClientTls(settings, read) }
}

/** Reads and checks what is needed to dial with TLS, which works without a key of one's own. Throws ERR_TLS_* naming key and file. */
export function loadClientTls(settings: TlsSettings, read: ReadPem = readPem): ClientTls {
  const roots = settings['peer.tls.rootcert.file'] === undefined || settings['peer.tls.rootcert.file'] === '' ? 'peer.tls.cert.file' : 'peer.tls.rootcert.file'
  const file = settings[roots]
  let rootsPem: Buffer | undefined
  if (file !== undefined && file !== '') {
    rootsPem = read({ key: roots, file })
    certificatesIn({ key: roots, file }, rootsPem)
  }
  const shows = [settings['peer.tls.clientCert.file'], settings['peer.tls.clientKey.file']].some((word) => word !== undefined && word !== '')
  return {
    rootsPem,
    serverName: settings['peer.tls.serverhostoverride'],
    identity: shows ? identity(settings, 'peer.tls.clientCert.file', 'peer.tls.clientKey.file', read) : undefined,
  }
}

/** The files that `loadTls` reads, in no order, without doubles. */
export function tlsFiles(settings: TlsSettings): readonly PemFile[] {
  const files = new Map<string, PemFile>()
  const keys = ['peer.tls.cert.file', 'peer.tls.key.file', 'peer.tls.rootcert.file', 'peer.tls.clientCert.file', 'peer.tls.clientKey.file'] as const
  for (const key of keys) {
    const file = settings[key]
    if (file !== undefined && file !== '') files.set(file, { key, file })
  }
  if (settings['peer.tls.clientAuth'] !== 'none') {
    for (const file of settings['peer.tls.clientRootCAs.files']) files.set(file, { key: 'peer.tls.clientRootCAs.files', file })
  }
  return [...files.values()]
}

function identity(
  settings: TlsSettings,
  certificateKey: 'peer.tls.cert.file' | 'peer.tls.clientCert.file',
  privateKey: 'peer.tls.key.file' | 'peer.tls.clientKey.file',
  read: ReadPem,
): Identity {
  const certificateFile = named(settings, certificateKey)
  const keyFile = named(settings, privateKey)
  const certificatePem = read(certificateFile)
  const certificates = certificatesIn(certificateFile, certificatePem)
  const { key, pem } = privateKeyIn(keyFile, read(keyFile))
  checkPair(certificateFile, certificates, keyFile, key)
  return { certificatePem, keyPem: pem, certificates, key }
}

function clientRoots(settings: TlsSettings, read: ReadPem): Buffer {
  const key = 'peer.tls.clientRootCAs.files'
  const files = settings[key]
  if (files.length === 0) {
    throw new PeerError(
      'ERR_TLS_CONFIG',
      `peer.tls.clientAuth is ${settings['peer.tls.clientAuth']}, but ${key} is not set: no client certificate could be accepted`,
      {
        hint: `set ${key} to PEM files of the authorities that issue client certificates`,
      },
    )
  }
  const pems = files.map((file) => {
    const pem = read({ key, file })
    certificatesIn({ key, file }, pem)
    return pem
  })
  return Buffer.concat(pems.flatMap((pem) => [pem, Buffer.from('\n')]))
}

function named(settings: TlsSettings, key: keyof TlsSettings & `peer.tls.${string}.file`): PemFile {
  const file = settings[key]
  if (file !== undefined && file !== '') return { key, file }
  const why = key.startsWith('peer.tls.client') ? 'peer.tls.clientCert.file and peer.tls.clientKey.file belong together' : 'peer.tls.enabled is true'
  throw new PeerError('ERR_TLS_FILE', `${why}, but ${key} is not set`, {
    hint: `set ${key} to a PEM file; \`peer tls init\` makes certificates for development`,
  })
}
