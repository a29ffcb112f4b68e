import { verify, X509Certificate } from 'node:crypto'
import type { ChaincodeHost, HashFamily } from './port.js'

/** Digest bits by curve: the next size of the family that holds the curve's order (spec/chaincode.md §17.2). */
const DIGEST_BITS: Readonly<Record<string, number>> = { secp224r1: 224, prime256v1: 256, secp384r1: 384, secp521r1: 512 }

/** What the API takes from Node.js, wherever the chaincode runs. */
export function createHost(log: ChaincodeHost['log']): ChaincodeHost {
  return { log, verifySignature }
}

/**
 * Verifies an ECDSA signature with the key of a certificate. A signature that is not DER is simply wrong.
 *
 * @throws Error if the certificate cannot be read or its key is not ECDSA on a NIST curve
 */
export function verifySignature(certificate: Uint8Array, signature: Uint8Array, message: Uint8Array, family: HashFamily): boolean {
  const key = new X509Certificate(certificate).publicKey
  const curve = key.asymmetricKeyDetails?.namedCurve
  const bits = curve === undefined ? undefined : DIGEST_BITS[curve]
  if (key.asymmetricKeyType !== 'ec' || bits === undefined) {
    throw new Error(`verifySignature needs an ECDSA certificate on a NIST curve, found ${key.asymmetricKeyType ?? 'no key'} ${curve ?? ''}`.trimEnd())
  }
  return verify(family === 'SHA3' ? `sha3-${bits}` : `sha${bits}`, message, { key, dsaEncoding: 'der' }, signature)
}
