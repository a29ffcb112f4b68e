import type { VerifyItem } from '../engine/effects.js'
import type { EngineHost, MemberIndex } from '../engine/engine.js'

/** For engines: checks signatures of members' messages and goes on when the answer comes. */
export interface SignatureChecks {
  /** Asks; `done` is told whether all hold. False, and nothing happens, if `maxPending` checks for this member are under way. */
  check(from: MemberIndex, items: readonly VerifyItem[], done: (hold: boolean) => void): boolean
  onVerified(token: string, verdicts: readonly boolean[]): void
}

/** Checks over `host.verify`, under tokens of its own; `maxPending` of them may be under way for one member, so that nobody can keep the host busy alone. */
export function createSignatureChecks(host: EngineHost, maxPending = 8): SignatureChecks {
  const pending = new Map<string, { readonly from: MemberIndex; readonly done: (hold: boolean) => void }>()
  let asked = 0
  return {
    check(from, items, done) {
      if ([...pending.values()].filter((check) => check.from === from).length >= maxPending) return false
      const token = `check ${++asked}`
      pending.set(token, { from, done })
      host.verify(token, items)
      return true
    },
    onVerified(token, verdicts) {
      const check = pending.get(token)
      pending.delete(token)
      check?.done(verdicts.every(Boolean))
    },
  }
}
