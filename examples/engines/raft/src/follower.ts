import type { MemberIndex } from 'weft/consensus'
import { deliverCommitted, transfer } from './delivery.js'
import type { Entry, Message, Position } from './messages.js'
import type { Replica } from './replica.js'

/** Entries of the leader, or none: then it only shows that it lives and what is committed. */
export function onAppend(r: Replica, from: MemberIndex, { before, commit, entries }: Message & { kind: 'append' }): void {
  if (!isThere(r, before)) return r.answerAppend(from, false, before.index, likelyMatch(r, before.index))
  if (!take(r, before.index, entries)) return r.host.log('warning', `entries of member ${from} are dropped: they contradict what is committed`)
  // Up to the base everything is committed, and so in every leader's log.
  const index = Math.max(before.index + entries.length, r.log.base.index)
  r.commit = Math.max(r.commit, Math.min(commit, index))
  deliverCommitted(r)
  r.answerAppend(from, true, before.index, index)
}

function isThere({ log }: Replica, { index, term }: Position): boolean {
  return index < log.base.index || log.termAt(index) === term
}

/** Where the leader may look next: before the own entries of the term that does not fit. What is committed fits. */
function likelyMatch({ log, commit }: Replica, index: number): number {
  const wrong = log.termAt(index)
  if (wrong === undefined) return log.last.index
  let at = index
  while (at > commit && log.termAt(at) === wrong) at--
  return at
}

/** Adds what is not there; what stands in the place of something else is taken back first. False if that is committed. */
function take(r: Replica, before: number, entries: readonly Entry[]): boolean {
  for (const [offset, entry] of entries.entries()) {
    const index = before + 1 + offset
    if (index <= r.log.base.index) continue
    const term = r.log.termAt(index)
    if (term === entry.term) continue
    if (term !== undefined) {
      if (index <= r.commit) return false
      r.log.truncate(index)
    }
    r.log.append(entry)
  }
  return true
}

/** The leader's log does not reach back to the own. Its state is transferred, unless the log has that entry after all. */
export function onOffer(r: Replica, from: MemberIndex, { offer }: Message & { kind: 'offer' }): void {
  const { index, term } = offer.at
  const isThere = index <= r.delivered || r.log.termAt(index) === term
  if (isThere && !r.catchUp) {
    r.commit = Math.max(r.commit, index)
    deliverCommitted(r)
    return r.answerAppend(from, true, index, index)
  }
  if (!isThere && !r.catchUp?.isRunning) {
    r.catchUp = { offer, isRunning: true }
    transfer(r)
  }
  r.answerAppend(from, false, index, r.log.last.index)
}
