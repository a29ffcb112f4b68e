import { webcrypto } from 'node:crypto'

/** PEM of a certificate, its issuers after it, and of its private key. */
export interface IssuedPem {
  readonly certificate: string
  readonly key: string
}

/** What stands in a certificate that an authority issues. */
export interface CertificateRequest {
  readonly commonName: string
  readonly use: 'server' | 'client'
  readonly hosts: readonly string[]
  readonly addresses: readonly string[]
  readonly days: number
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' }
const DAY_MS = 86_400_000
/** So that machines whose clocks are a little behind take new certificates at once. */
const EARLIER_MS = 5 * 60_000

/** Makes an authority for development: ECDSA P-256, able to issue end certificates only. `now`: ms since 1970. */
export async function makeAuthority(commonName: string, days: number, now: number): Promise<IssuedPem> {
  const x509 = await library()
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(now + days * DAY_MS),
    keys,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) }
}

/** Issues a certificate with a fresh key; the authority's certificate follows in the file. The authority's key is ECDSA P-256 in PKCS #8. */
export async function issue(authority: IssuedPem, request: CertificateRequest, now: number): Promise<IssuedPem> {
  const x509 = await library()
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(authority.key), CURVE, false, ['sign'])
  const keys = await makeKeys()
  const names = [...request.hosts.map((value) => ({ type: 'dns' as const, value })), ...request.addresses.map((value) => ({ type: 'ip' as const, value }))]
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [request.commonName] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(Math.min(now + request.days * DAY_MS, issuer.notAfter.getTime())),
    signingKey,
    publicKey: keys.publicKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[request.use === 'server' ? 'serverAuth' : 'clientAuth']]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n${authority.certificate}`, key: await pemOf(keys.privateKey) }
}

/** Loaded when certificates are made, and never else: it takes 200 ms, and wants its metadata library first. */
async function library() {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  return x509
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{1,64}/g, '$&\n')}-----END PRIVATE KEY-----\n`
}

/** Positive and random, 16 bytes. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(Buffer.alloc(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}
