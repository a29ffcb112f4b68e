import { messageOf } from '../../../kernel/index.js'
import type { Effect, VerifyItem } from '../engine/effects.js'
import type { Member } from '../engine/engine.js'
import type { EngineEvent } from '../engine/events.js'
import type { ConsensusSigner } from './signer.js'

export interface CryptoOptions {
  readonly signer: ConsensusSigner | undefined
  readonly members: readonly Member[]
  /** Stands before all that is signed; undefined: bytes are signed as they are, which originals verify. */
  readonly domain: Uint8Array | undefined
  readonly answer: (event: EngineEvent) => void
  readonly fault: (reason: string) => void
}

/**
 * Answers `sign` and `verify` as later events. Without a signer it is v0.6 with security off: a signature is the bytes themselves and every
 * signature holds (spec/consensus.md §2.4).
 */
export function createCrypto({ signer, members, domain, answer, fault }: CryptoOptions): (effect: Effect & { type: 'sign' | 'verify' }) => void {
  const placed = (bytes: Uint8Array): Uint8Array => (domain ? Buffer.concat([domain, bytes]) : bytes)
  const verifyAll = (items: readonly VerifyItem[], by: ConsensusSigner): Promise<boolean[]> =>
    Promise.all(
      items.map(async ({ member, bytes, signature }) => {
        const from = members[member]
        return from !== undefined && (await by.verify(from, placed(bytes), signature))
      }),
    )
  return (effect) => {
    const { token } = effect
    if (effect.type === 'sign') {
      if (!signer) return answer({ type: 'signed', token, signature: effect.bytes })
      signer.sign(placed(effect.bytes)).then(
        (signature) => answer({ type: 'signed', token, signature }),
        (error: unknown) => fault(`signing failed: ${messageOf(error)}`),
      )
      return
    }
    if (!signer) return answer({ type: 'verified', token, verdicts: effect.items.map(() => true) })
    verifyAll(effect.items, signer).then(
      (verdicts) => answer({ type: 'verified', token, verdicts }),
      (error: unknown) => fault(`verifying failed: ${messageOf(error)}`),
    )
  }
}
