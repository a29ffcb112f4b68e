import type { MemberIndex } from '../consensus/index.js'
import { qKey } from './records.js'
import type { PQ, Replica, Slot } from './replica.js'

/** Whether the proposal is prepared here (spec/consensus.md §6.3); once it is it stays so: a commit may have been sent for it. */
export function isPrepared(r: Replica, slot: Slot): boolean {
  const { proposal } = slot
  if (proposal === undefined || !r.hasContent(proposal)) return false
  if (!slot.isPrepared) slot.isPrepared = (slot.prepares.get(proposal)?.size ?? 0) >= r.quorums.intersection - 1
  return slot.isPrepared
}

/** P: what was prepared at each number in the highest view (§9.2), by number. */
export function calcP(r: Replica): Map<bigint, PQ> {
  const prepared = new Map(r.pset)
  for (const slot of r.slots.values()) {
    const { n, proposal } = slot
    if (proposal !== undefined && isPrepared(r, slot)) prepared.set(n, { sequenceNumber: n, batchDigest: proposal, view: r.view })
  }
  return new Map([...prepared].sort(([left], [right]) => order(left, right)))
}

/** Q: what was pre-prepared, and vouched for, in the highest view (§9.2), by number and digest. */
export function calcQ(r: Replica): Map<string, PQ> {
  const vouched = new Map(r.qset)
  for (const slot of r.slots.values()) {
    const { n, proposal } = slot
    if (proposal === undefined || !r.hasContent(proposal) || (slot.isRefused && !isPrepared(r, slot))) continue
    const entry: PQ = { sequenceNumber: n, batchDigest: proposal, view: r.view }
    vouched.set(qKey(entry), entry)
  }
  return new Map([...vouched].sort(([, left], [, right]) => order(left.sequenceNumber, right.sequenceNumber) || order(left.batchDigest, right.batchDigest)))
}

/** Counts a vote once per member and digest (§15 W11); a member that votes for a third digest is not heard. False if nothing was counted. */
export function addVote(votes: Map<string, Set<MemberIndex>>, member: MemberIndex, digest: string): boolean {
  const voters = votes.get(digest) ?? new Set()
  if (voters.has(member) || [...votes.values()].filter((set) => set.has(member)).length >= 2) return false
  votes.set(digest, voters.add(member))
  return true
}

/** Whether a quorum committed this digest in one view. */
export function isDecided({ quorums }: Replica, { commits }: Slot, view: bigint, digest: string): boolean {
  return [...commits.values()].filter((vote) => vote.view === view && vote.digest === digest).length >= quorums.intersection
}

const order = <T extends bigint | string>(left: T, right: T): number => (left === right ? 0 : left < right ? -1 : 1)
