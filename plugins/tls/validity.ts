import type { X509Certificate } from 'node:crypto'

/** Where in its life a certificate is. */
export type Validity = 'not yet valid' | 'valid' | 'expires soon' | 'expired'

const DAY_MS = 86_400_000

/** Judges a certificate at a moment (ms since 1970); `soonMs` before its end it expires soon. */
export function validityOf(certificate: X509Certificate, nowMs: number, soonMs: number): Validity {
  const from = Date.parse(certificate.validFrom)
  const to = Date.parse(certificate.validTo)
  if (nowMs < from) return 'not yet valid'
  if (nowMs > to) return 'expired'
  return nowMs > to - soonMs ? 'expires soon' : 'valid'
}

/** What to know and to do about the first certificate of a chain that is not simply valid; undefined if all are. */
export function validityProblem(
  key: string,
  file: string,
  certificates: readonly X509Certificate[],
  nowMs: number,
  soonMs: number,
): { readonly validity: Exclude<Validity, 'valid'>; readonly message: string; readonly hint: string } | undefined {
  for (const certificate of certificates) {
    const validity = validityOf(certificate, nowMs, soonMs)
    if (validity === 'valid') continue
    const whose = `the certificate of ${nameOf(certificate)} in ${file} (${key})`
    const renew = `put a new one into ${file}; a running peer takes it by itself`
    switch (validity) {
      case 'expired':
        return { validity, message: `${whose} expired on ${day(certificate.validTo)}: clients refuse it`, hint: renew }
      case 'not yet valid':
        return {
          validity,
          message: `${whose} is not valid before ${day(certificate.validFrom)}: clients refuse it`,
          hint: `check this machine's clock, or ${renew}`,
        }
      case 'expires soon':
        return {
          validity,
          message: `${whose} expires in ${Math.floor((Date.parse(certificate.validTo) - nowMs) / DAY_MS)} days, on ${day(certificate.validTo)}`,
          hint: renew,
        }
    }
  }
  return undefined
}

/** The common name of a certificate's subject, or the whole subject in one line. */
export function nameOf({ subject }: Pick<X509Certificate, 'subject'>): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? (subject ?? '').replaceAll('\n', ', ')
}

function day(written: string): string {
  return new Date(written).toISOString().replace(/:\d\d\.000Z$/, 'Z')
}
