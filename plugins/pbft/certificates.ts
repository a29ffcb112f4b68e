import type { MemberIndex } from '../consensus/index.js'
import { byNumber, byNumberAndDigest } from './records.js'
import type { PQ, Replica, Slot } from './replica.js'

/** Whether the proposal is prepared here (spec/consensus.md §6.3); once it is it stays so: a commit may have been sent for it. */
export function isPrepared(r: Replica, slot: Slot): boolean {
  const { proposal } = slot
  if (proposal === undefined || !r.hasContent(proposal)) return false
  slot.isPrepared ||= slot.prepares.filter((digests) => digests?.includes(proposal)).length >= r.quorums.intersection - 1
  return slot.isPrepared
}

/** P: what was prepared at each number in the highest view (§9.2), by number. */
export const calcP = (r: Replica): PQ[] => entriesOf(r, isPrepared, r.pset, byNumber)

/** Q: what was pre-prepared, and vouched for, in the highest view (§9.2), by number and digest. */
export const calcQ = (r: Replica): PQ[] => entriesOf(r, isVouchedFor, r.qset, byNumberAndDigest)

/** What was proposed in the present view, in the slots that are wanted, and what it does not replace of earlier views. */
function entriesOf<K>(r: Replica, isWanted: (r: Replica, slot: Slot) => boolean, earlier: Map<K, PQ>, keyed: (entries: readonly PQ[]) => Map<K, PQ>): PQ[] {
  const present: PQ[] = []
  for (const slot of r.slots.values()) {
    const entry = slot.entryIn(r.view)
    if (entry && isWanted(r, slot)) present.push(entry)
  }
  // Mostly there is nothing of earlier views, and the numbers were proposed in their order.
  const entries = earlier.size === 0 ? present : [...new Map([...earlier, ...keyed(present)]).values()]
  let last = -1
  for (const { sequenceNumber: n } of entries) {
    if (n <= last) return entries.sort(inOrder)
    last = n
  }
  return entries
}

const isVouchedFor = (r: Replica, slot: Slot): boolean => r.hasContent(slot.proposal ?? '') && (!slot.isRefused || isPrepared(r, slot))

/** Counts a prepare once per member and digest (§15 W11); a member that votes for a third digest is not heard. False if nothing was counted. */
export function addPrepare({ prepares }: Slot, member: MemberIndex, digest: string): boolean {
  const digests = prepares[member]
  if (digests === undefined) prepares[member] = [digest]
  else if (digests.length > 1 || digests[0] === digest) return false
  else digests.push(digest)
  return true
}

/** Whether a quorum committed this digest in one view. */
export function isDecided({ quorums }: Replica, { commits }: Slot, view: number, digest: string): boolean {
  let equal = 0
  for (const vote of commits.values()) if (vote.view === view && vote.digest === digest) equal++
  return equal >= quorums.intersection
}

const inOrder = (left: PQ, right: PQ): number =>
  left.sequenceNumber - right.sequenceNumber || (left.batchDigest === right.batchDigest ? 0 : left.batchDigest < right.batchDigest ? -1 : 1)
