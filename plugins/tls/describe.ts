import type { KeyObject, X509Certificate } from 'node:crypto'
import { type Validity, validityOf } from './validity.js'

/** What `peer tls show` says of a certificate. */
export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  readonly names: readonly string[]
  readonly serialNumber: string
  readonly validFrom: string
  readonly validTo: string
  readonly validity: Validity
  readonly daysLeft: number
  readonly key: string
  readonly authority: boolean
  readonly sha256: string
}

const DAY_MS = 86_400_000

/** `soonMs`: how long before its end a certificate expires soon. */
export function describeCertificate(certificate: X509Certificate, nowMs: number, soonMs: number): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: (certificate.subjectAltName ?? '').split(', ').filter((name) => name !== ''),
    serialNumber: certificate.serialNumber,
    validFrom: new Date(certificate.validFrom).toISOString(),
    validTo: new Date(certificate.validTo).toISOString(),
    validity: validityOf(certificate, nowMs, soonMs),
    daysLeft: Math.floor((Date.parse(certificate.validTo) - nowMs) / DAY_MS),
    key: describeKey(certificate.publicKey),
    authority: certificate.ca,
    sha256: certificate.fingerprint256,
  }
}

/** `EC prime256v1`, `RSA 2048 bits`. */
export function describeKey({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string {
  const { namedCurve, modulusLength } = asymmetricKeyDetails
  return [(asymmetricKeyType ?? 'unknown').toUpperCase(), namedCurve ?? (modulusLength === undefined ? '' : `${modulusLength} bits`)].join(' ').trim()
}

/** Which certificate of a chain was not issued by the next one; undefined if the chain holds. */
export function brokenLink(certificates: readonly X509Certificate[]): string | undefined {
  for (const [index, certificate] of certificates.entries()) {
    const next = certificates[index + 1]
    if (next === undefined || (certificate.checkIssued(next) && certificate.verify(next.publicKey))) continue
    return `certificate ${index + 1} (${oneLine(certificate.subject)}) was not issued by certificate ${index + 2} (${oneLine(next.subject)})`
  }
  return undefined
}

/** Lines for a person. */
export function certificateLines(facts: CertificateFacts, position: number): readonly string[] {
  const state = facts.validity === 'valid' || facts.validity === 'expires soon' ? `${facts.daysLeft} days left` : facts.validity
  return [
    `certificate ${position}${facts.authority ? ' (authority)' : ''}`,
    `  subject  ${facts.subject}`,
    `  issuer   ${facts.issuer}`,
    `  names    ${facts.names.join(', ') || 'none: clients compare the common name'}`,
    `  valid    ${facts.validFrom} to ${facts.validTo} (${state})`,
    `  key      ${facts.key}`,
    `  sha256   ${facts.sha256}`,
  ]
}

function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ') || '(none)'
}
