import type { pbft } from '../../proto/index.js'
import type { EngineHost, MemberIndex } from '../consensus/index.js'
import { signedBytes } from './messages.js'

/** Verifications of one member's messages that may be under way; more are dropped. */
const MAX_PENDING = 8

/** Checks the signatures of view changes; what follows from them happens when the answer comes. */
export interface Verifier {
  /** `then` runs if all signatures hold. */
  verify(from: MemberIndex, viewChanges: readonly pbft.ViewChange[], then: () => void): void
  onVerified(token: string, verdicts: readonly boolean[]): void
}

export function createVerifier(host: EngineHost): Verifier {
  const pending = new Map<string, { readonly from: MemberIndex; readonly then: () => void }>()
  let asked = 0
  return {
    verify(from, viewChanges, then) {
      if ([...pending.values()].filter((check) => check.from === from).length >= MAX_PENDING) return
      const token = `verify ${++asked}`
      pending.set(token, { from, then })
      host.verify(
        token,
        viewChanges.map((viewChange) => ({ member: Number(viewChange.replicaId), bytes: signedBytes(viewChange), signature: viewChange.signature })),
      )
    },
    onVerified(token, verdicts) {
      const check = pending.get(token)
      pending.delete(token)
      if (!check) return
      if (verdicts.every(Boolean)) check.then()
      else host.log('warning', `a view change in a message of replica ${check.from} is signed wrongly: dropped`)
    },
  }
}
