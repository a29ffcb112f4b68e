import type { MemberIndex } from '../consensus/index.js'
import type { PQ, Replica, Slot } from './replica.js'

/** Whether the proposal is prepared here (spec/consensus.md §6.3); once it is it stays so: a commit may have been sent for it. */
export function isPrepared(r: Replica, slot: Slot): boolean {
  const { proposal } = slot
  if (proposal === undefined || !r.hasContent(proposal)) return false
  if (!slot.isPrepared) slot.isPrepared = (slot.prepares.get(proposal)?.size ?? 0) >= r.quorums.intersection - 1
  return slot.isPrepared
}

/** P: what was prepared at each number in the highest view (§9.2), by number. */
export function calcP(r: Replica): PQ[] {
  const present = entriesOf(r, (slot) => isPrepared(r, slot))
  const earlier = [...r.pset.values()].filter((entry) => !present.some(({ sequenceNumber }) => sequenceNumber === entry.sequenceNumber))
  return sorted(earlier, present)
}

/** Q: what was pre-prepared, and vouched for, in the highest view (§9.2), by number and digest. */
export function calcQ(r: Replica): PQ[] {
  const present = entriesOf(r, (slot, proposal) => r.hasContent(proposal) && (!slot.isRefused || isPrepared(r, slot)))
  const earlier = [...r.qset.values()].filter((entry) => !present.some((other) => inOrder(other, entry) === 0))
  return sorted(earlier, present)
}

/** Mostly there is nothing of earlier views, and the numbers were proposed in their order. */
function sorted(earlier: readonly PQ[], present: PQ[]): PQ[] {
  const entries = earlier.length === 0 ? present : [...earlier, ...present]
  return entries.every(({ sequenceNumber: n }, index) => (entries[index - 1]?.sequenceNumber ?? -1n) < n) ? entries : entries.sort(inOrder)
}

/** What was proposed in the present view, in the slots that are wanted. */
function entriesOf(r: Replica, isWanted: (slot: Slot, proposal: string) => boolean): PQ[] {
  const entries: PQ[] = []
  for (const slot of r.slots.values())
    if (slot.proposal !== undefined && isWanted(slot, slot.proposal)) entries.push({ sequenceNumber: slot.n, batchDigest: slot.proposal, view: r.view })
  return entries
}

/** Counts a vote once per member and digest (§15 W11); a member that votes for a third digest is not heard. False if nothing was counted. */
export function addVote(votes: Map<string, Set<MemberIndex>>, member: MemberIndex, digest: string): boolean {
  const voters = votes.get(digest) ?? new Set()
  if (voters.has(member) || (votes.size > 1 && [...votes.values()].filter((set) => set.has(member)).length >= 2)) return false
  votes.set(digest, voters.add(member))
  return true
}

/** Whether a quorum committed this digest in one view. */
export function isDecided({ quorums }: Replica, { commits }: Slot, view: bigint, digest: string): boolean {
  let equal = 0
  for (const vote of commits.values()) if (vote.view === view && vote.digest === digest) equal++
  return equal >= quorums.intersection
}

const order = <T extends bigint | string>(left: T, right: T): number => (left === right ? 0 : left < right ? -1 : 1)
const inOrder = (left: PQ, right: PQ): number => order(left.sequenceNumber, right.sequenceNumber) || order(left.batchDigest, right.batchDigest)
