import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'

/** A file of the configuration and the key that names it. */
export interface PemFile {
  readonly key: string
  readonly file: string
}

/** More is no certificate bundle. */
const MAX_BYTES = 1024 * 1024
const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** Reads a PEM file. Throws ERR_TLS_FILE naming key and file. */
export function readPem({ key, file }: PemFile): Buffer {
  try {
    checkSize(statSync(resolve(file)))
    return readFileSync(resolve(file))
  } catch (cause) {
    throw unreadable(key, file, cause)
  }
}

/** As {@link readPem}, without holding up the peer while a file system hangs. */
export async function readPemLater({ key, file }: PemFile): Promise<Buffer> {
  try {
    checkSize(await stat(resolve(file)))
    return await readFile(resolve(file))
  } catch (cause) {
    throw unreadable(key, file, cause)
  }
}

/** The certificates of a PEM file, at least one. Throws ERR_TLS_FILE. */
export function certificatesIn({ key, file }: PemFile, pem: Buffer): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.toString('latin1').match(CERTIFICATE) ?? []
  try {
    const [first, ...more] = blocks.map((block) => new X509Certificate(block))
    if (first !== undefined) return [first, ...more]
  } catch (cause) {
    throw new PeerError('ERR_TLS_FILE', `Failed to generate credentials: ${key}: expected a PEM certificate in ${file}: ${messageOf(cause)}`, {
      cause,
      hint: `make it anew, or set ${key} to another file; \`peer tls show ${file}\` shows what a file holds`,
    })
  }
  const found = /PRIVATE KEY-----/.test(pem.toString('latin1')) ? 'a private key alone' : pem.length === 0 ? 'an empty file' : 'none'
  throw new PeerError('ERR_TLS_FILE', `Failed to generate credentials: ${key}: expected a PEM certificate in ${file}, found ${found}`, {
    hint: `set ${key} to a file with -----BEGIN CERTIFICATE-----; of a DER file: openssl x509 -inform der -in ${file} -out cert.pem`,
  })
}

/** A private key in the form that Node reads: the label of v0.6's key files is not one that OpenSSL knows (spec/security.md §10). Throws ERR_TLS_FILE. */
export function privateKeyIn({ key, file }: PemFile, pem: Buffer): { readonly key: KeyObject; readonly pem: Buffer } {
  const written = pem.toString('latin1')
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(written)) {
    throw new PeerError(
      'ERR_TLS_FILE',
      `Failed to generate credentials: ${key}: the private key in ${file} is encrypted with a passphrase, which a peer has nobody to ask for`,
      {
        hint: `take the passphrase off and protect the file instead: openssl pkey -in ${file} -out key.pem && chmod 600 key.pem`,
      },
    )
  }
  const known = Buffer.from(written.replace(/-----(BEGIN|END) ECDSA PRIVATE KEY-----/g, '-----$1 EC PRIVATE KEY-----'), 'latin1')
  try {
    return { key: createPrivateKey(known), pem: known }
  } catch (cause) {
    const found = /-----BEGIN (?:X509 )?CERTIFICATE-----/.test(written)
      ? 'a certificate'
      : pem.length === 0
        ? 'an empty file'
        : written.includes('PRIVATE KEY-----')
          ? `one that OpenSSL cannot read (${messageOf(cause)})`
          : 'none'
    throw new PeerError('ERR_TLS_FILE', `Failed to generate credentials: ${key}: expected a PEM private key without passphrase in ${file}, found ${found}`, {
      cause,
      hint: `set ${key} to a file with -----BEGIN PRIVATE KEY-----`,
    })
  }
}

/** Throws ERR_TLS_KEY_MISMATCH unless the key is that of the first certificate. */
export function checkPair(certificate: PemFile, certificates: readonly X509Certificate[], privateKey: PemFile, key: KeyObject): void {
  const owner = certificates.findIndex((candidate) => candidate.checkPrivateKey(key))
  if (owner === 0) return
  throw new PeerError(
    'ERR_TLS_KEY_MISMATCH',
    owner > 0
      ? `the private key in ${privateKey.file} belongs to certificate ${owner + 1} in ${certificate.file}, not to the first`
      : `the private key in ${privateKey.file} does not belong to the certificate in ${certificate.file}`,
    {
      hint:
        owner > 0
          ? `put the certificate of the key first in ${certificate.file} and its issuers after it`
          : `set ${certificate.key} and ${privateKey.key} to a pair`,
      details: { [certificate.key]: certificate.file, [privateKey.key]: privateKey.file },
    },
  )
}

function checkSize(stats: { readonly size: number; isFile(): boolean }): void {
  if (!stats.isFile()) throw new Error('it is no regular file')
  if (stats.size > MAX_BYTES) throw new Error(`expected at most ${MAX_BYTES} bytes of PEM, found ${stats.size}`)
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT:
    'make the file (`peer tls init` makes certificates for development), or set the key to the right path; relative paths count from the working directory',
  EACCES: 'let the user of the peer read it: chown or chmod 640 with a group of that user',
}

function unreadable(key: string, file: string, cause: unknown): PeerError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return new PeerError('ERR_TLS_FILE', `Failed to generate credentials: ${key}: cannot read ${resolve(file)}: ${messageOf(cause)}`, {
    cause,
    hint: REMEDIES[code] ?? `set ${key} to a PEM file that the peer can read`,
  })
}
