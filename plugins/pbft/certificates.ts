import { type Core, hasContent, type PQ, type Slot } from './core.js'
import { qKey } from './records.js'

/** Whether the proposal is prepared here (spec/consensus.md §6.3); once it is it stays so: a commit may have been sent for it. */
export function isPrepared({ state, quorums }: Core, slot: Slot): boolean {
  const { proposal } = slot
  if (proposal === undefined || !hasContent(state, proposal)) return false
  if (!slot.isPrepared) slot.isPrepared = (slot.prepares.get(proposal)?.size ?? 0) >= quorums.intersection - 1
  return slot.isPrepared
}

/** P: what was prepared at each number in the highest view (§9.2), by number. */
export function calcP(core: Core): Map<bigint, PQ> {
  const { slots, pset, view } = core.state
  const prepared = new Map(pset)
  for (const slot of slots.values()) {
    const { n, proposal } = slot
    if (proposal !== undefined && isPrepared(core, slot)) raise(prepared, n, { sequenceNumber: n, batchDigest: proposal, view })
  }
  return new Map([...prepared].sort(([left], [right]) => order(left, right)))
}

/** Q: what was pre-prepared, and vouched for, in the highest view (§9.2), by number and digest. */
export function calcQ(core: Core): Map<string, PQ> {
  const { slots, qset, view } = core.state
  const vouched = new Map(qset)
  for (const slot of slots.values()) {
    const { n, proposal } = slot
    if (proposal === undefined || !hasContent(core.state, proposal) || (slot.isRefused && !isPrepared(core, slot))) continue
    const entry: PQ = { sequenceNumber: n, batchDigest: proposal, view }
    raise(vouched, qKey(entry), entry)
  }
  return new Map([...vouched].sort(([, left], [, right]) => order(left.sequenceNumber, right.sequenceNumber) || order(left.batchDigest, right.batchDigest)))
}

/** Counts a vote once per member and digest; a member that votes for a third value is not heard. */
export function addVote(votes: Map<string, Set<number>>, member: number, digest: string): boolean {
  const voters = votes.get(digest) ?? new Set()
  if (voters.has(member)) return false
  const others = [...votes.values()].filter((set) => set.has(member)).length
  if (others >= 2) return false
  votes.set(digest, voters.add(member))
  return true
}

function raise<K>(entries: Map<K, PQ>, key: K, entry: PQ): void {
  const known = entries.get(key)
  if (known === undefined || known.view <= entry.view) entries.set(key, entry)
}

function order<T extends bigint | string>(left: T, right: T): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
