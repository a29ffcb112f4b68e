import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { signedBytes } from './messages.js'
import type { Quorums } from './options.js'

/** The checkpoint that a new view starts from. */
export interface InitialCheckpoint {
  readonly n: number
  readonly id: string
  readonly members: readonly MemberIndex[]
}

/**
 * The highest checkpoint that more than f entries name and that is not below the watermark of a quorum (spec/consensus.md §9.5). Of two with the
 * same number the one with the smaller id, so that all replicas choose alike. Undefined: there is none.
 */
export function selectInitialCheckpoint(vset: readonly pbft.ViewChange[], { f, intersection }: Quorums): InitialCheckpoint | undefined {
  const groups = new Map<string, { n: number; id: string; members: MemberIndex[] }>()
  for (const { cset, replicaId } of vset) {
    for (const { sequenceNumber: n, id } of cset) {
      const group = groups.get(`${n} ${id}`) ?? { n, id, members: [] }
      groups.set(`${n} ${id}`, group)
      group.members.push(replicaId)
    }
  }
  let best: InitialCheckpoint | undefined
  for (const group of groups.values()) {
    if (group.members.length <= f || vset.filter(({ h }) => h <= group.n).length < intersection) continue
    if (best === undefined || group.n > best.n || (group.n === best.n && group.id < best.id)) best = group
  }
  return best
}

/**
 * What the new view does at each number above its base: a digest, or '' for nothing (§9.6). All replicas must come to the same. Undefined: impossible.
 * P entries of other numbers take part, and the number after the base is always assigned: quirks that every replica shares.
 */
export function assignSequenceNumbers(vset: readonly pbft.ViewChange[], base: number, L: number, quorums: Quorums): Map<number, string> | undefined {
  const { f, intersection } = quorums
  const assigned = new Map<number, string>()
  const candidates = vset.flatMap(({ pset }) => pset)
  let last = base + 1
  // Offsets are counted: from 2^53 on, which a liar may name, one more is no more.
  for (let offset = 1, n = base + 1; offset <= L; n = base + ++offset) {
    const chosen = candidates.find((entry) => countAgreeing(vset, n, entry) >= intersection && countVouching(vset, n, entry) > f)
    if (chosen) {
      assigned.set(n, chosen.batchDigest)
      last = n
    } else if (vset.filter(({ pset }) => !pset.some((entry) => entry.sequenceNumber === n)).length >= intersection) assigned.set(n, '')
    else return undefined
  }
  for (const [n, digest] of assigned) if (n > last && digest === '') assigned.delete(n)
  return assigned
}

/** A1: members whose window holds the number and who prepared nothing there that speaks against the entry. */
function countAgreeing(vset: readonly pbft.ViewChange[], n: number, { view, batchDigest }: pbft.ViewChangePQ): number {
  return vset.filter(({ h, pset }) => h < n && pset.every((p) => p.sequenceNumber !== n || p.view < view || (p.view === view && p.batchDigest === batchDigest)))
    .length
}

/** A2: entries that vouch for the digest at this number. */
function countVouching(vset: readonly pbft.ViewChange[], n: number, { view, batchDigest }: pbft.ViewChangePQ): number {
  return vset.flatMap(({ qset }) => qset).filter((q) => q.sequenceNumber === n && q.view >= view && q.batchDigest === batchDigest).length
}

/** Whether the sets of a view change fit its view and window (§9.3, step 3). */
export function isCorrect({ view, h, cset, pset, qset }: pbft.ViewChange, L: number): boolean {
  const fits = [...pset, ...qset].every((entry) => entry.view < view && entry.sequenceNumber > h && entry.sequenceNumber <= h + L)
  return fits && cset.every(({ sequenceNumber }) => sequenceNumber >= h && sequenceNumber <= h + L)
}

/** Digests have 88 characters, the Base64 of a chain info has some 180. */
export const MAX_DIGEST_LENGTH = 88
export const MAX_ID_LENGTH = 1024
/** Of originals with security off the signature is a copy of the message (§5.6). */
const MAX_SIGNATURE_LENGTH = 64 * 1024
const MAX_ENTRIES = 10_000

/** No entry repeats another: each repetition would count as a vote of its own (§15 W8). Honest replicas never repeat, nor send more than this (W28). */
export function isModest(viewChange: pbft.ViewChange): boolean {
  const { cset, pset, qset, signature } = viewChange
  const entries = [...pset, ...qset]
  return (
    (signature.length <= MAX_SIGNATURE_LENGTH || signature.length <= signedBytes(viewChange).length) &&
    cset.length + entries.length <= MAX_ENTRIES &&
    cset.every(({ id }) => id.length <= MAX_ID_LENGTH) &&
    entries.every(({ batchDigest }) => batchDigest.length <= MAX_DIGEST_LENGTH) &&
    isSet(cset.map(({ sequenceNumber, id }) => `${sequenceNumber} ${id}`)) &&
    isSet(pset.map(({ sequenceNumber }) => String(sequenceNumber))) &&
    isSet(qset.map(({ sequenceNumber, batchDigest }) => `${sequenceNumber} ${batchDigest}`))
  )
}

/** Whether two assignments are equal. */
export const sameAssignment = (left: ReadonlyMap<number, string>, right: ReadonlyMap<number, string>): boolean =>
  left.size === right.size && [...left].every(([n, digest]) => right.get(n) === digest)

const isSet = (keys: readonly string[]): boolean => new Set(keys).size === keys.length
