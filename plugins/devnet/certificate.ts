import { chmodSync, writeFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'
import { join } from 'node:path'

const YEARS = 10
const YEAR_MS = 365 * 24 * 3600 * 1000

/** The key of that certificate. */
export function keyOf(directory: string): string {
  return join(directory, 'tls.key')
}

/** One self-signed certificate for localhost and 127.0.0.1, which all peers of a devnet show and trust. Returns its files. */
export async function makeCertificate(directory: string): Promise<{ readonly certificate: string; readonly key: string }> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=weft devnet',
      notBefore: new Date(now - 60_000),
      notAfter: new Date(now + YEARS * YEAR_MS),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
        ]),
      ],
    },
    webcrypto,
  )
  const files = { certificate: join(directory, 'tls.pem'), key: keyOf(directory) }
  writeFileSync(files.certificate, `${certificate.toString('pem')}\n`)
  writeFileSync(files.key, x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'), { mode: 0o600 })
  chmodSync(files.key, 0o600)
  return files
}
