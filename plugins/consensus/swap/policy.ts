import { createPublicKey, verify } from 'node:crypto'
import { decode, hex, OperatorSignatures } from '../../../proto/index.js'

/** Who may change the engine (design: hot swap, `consensus.policy`). The same on every validator. */
export type SwapPolicy =
  | { readonly kind: 'doors' }
  /** Ed25519 public keys (32 bytes), how many of them have to sign, and the network that they sign for: the same keys may rule another one. */
  | { readonly kind: 'operators'; readonly network: string; readonly keys: readonly Uint8Array[]; readonly threshold: number }

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')
const MAX_SIGNATURES = 64
/** Characters of a network that a refusal repeats. */
const MAX_NETWORK = 100

/** What operators sign: the call that they allow, and nothing else that has the same bytes. */
export function signedBytes(call: string, argument: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`weft consensus ${call}\n`), argument])
}

/** The network that a call of operators has to name; empty where nobody signs. */
export function networkOf(policy: SwapPolicy): string {
  return policy.kind === 'operators' ? policy.network : ''
}

/** Why the signatures do not allow the call, whose argument names a network; undefined: they do. Each key counts once. */
export function objection(policy: SwapPolicy, call: string, network: string, argument: Uint8Array, signatures: Uint8Array): string | undefined {
  const own = networkOf(policy)
  if (network !== own) return `a call for network '${network.slice(0, MAX_NETWORK)}'; expected one for '${own}'`
  if (policy.kind === 'doors') return undefined
  const { signatures: given } = decode(OperatorSignatures, signatures)
  const bytes = signedBytes(call, argument)
  const signed = new Set<string>()
  for (const { key, signature } of given.slice(0, MAX_SIGNATURES)) {
    const known = policy.keys.some((allowed) => Buffer.compare(allowed, key) === 0)
    if (known && isSignedBy(key, bytes, signature)) signed.add(hex(key))
  }
  if (signed.size >= policy.threshold) return undefined
  return `consensus.policy is operators: expected valid signatures of ${policy.threshold} of ${policy.keys.length} operators, found ${signed.size}`
}

function isSignedBy(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false
  try {
    return verify(null, bytes, createPublicKey({ key: Buffer.concat([SPKI_ED25519, key]), format: 'der', type: 'spki' }), signature)
  } catch {
    // 32 bytes that are no point of the curve: no key, so no signature of it.
    return false
  }
}
