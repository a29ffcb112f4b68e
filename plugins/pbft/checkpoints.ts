import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { toBase64 } from './messages.js'
import { saveView } from './records.js'
import type { Replica } from './replica.js'
import { invalidate, learnTarget, retryTransfer } from './transfer.js'

/** Makes the state after number n, whose chain info is `blob`, an own checkpoint (spec/consensus.md §8.1). */
export function takeCheckpoint(r: Replica, n: number, blob: Uint8Array): void {
  const id = toBase64(blob)
  r.checkpoints.set(n, id)
  r.host.put(`chkpt.${n}`, blob)
  accept(r, r.self, n, id)
  r.sayCheckpoint(n, id)
}

/** A member's checkpoint (§8.2). One that comes again, or is long past, asks for help. */
export function onCheckpoint(r: Replica, from: MemberIndex, { sequenceNumber: n, id }: pbft.Checkpoint): void {
  const before = r.latest.get(from) ?? -1
  if (n > before) r.latest.set(from, n)
  if (n <= before || n < r.h) r.rules.help(r, from, n)
  accept(r, from, n, id)
}

/**
 * Drops what lies at or below a checkpoint (§8.4); own votes only up to `floor`: if fewer than a quorum vouch for the checkpoint, they may be all that tells
 * what was decided. After a restart all stored batches are kept until the first move.
 */
export function moveWatermarks(r: Replica, n: number, floor = n, keepBatches = false): void {
  const x = n - (n % r.K)
  r.floor = floor - (floor % r.K)
  for (const map of [r.slots, r.said]) for (const number of map.keys()) if (number <= x) map.delete(number)
  for (const number of r.pset.keys()) if (number <= r.floor) r.pset.delete(number)
  for (const [key, { sequenceNumber }] of r.qset) if (sequenceNumber <= r.floor) r.qset.delete(key)
  for (const number of [...r.checkpoints.keys()].filter((number) => number < r.floor)) {
    r.checkpoints.delete(number)
    r.host.delete(`chkpt.${number}`)
  }
  r.isPsetStale = true
  r.h = x
  if (r.floor < r.h) saveView(r)
  if (keepBatches) return
  dropUnusedBatches(r)
  r.rules.proposeWaiting(r)
}

/** Batches are kept as long as anything above the watermark names them (§15 W28). */
function dropUnusedBatches(r: Replica): void {
  const used = new Set<string | undefined>([...r.missing, ...r.waiting.map(({ digest }) => digest)])
  for (const { proposal, committed } of r.slots.values()) used.add(proposal).add(committed)
  for (const { batchDigest } of [...r.pset.values(), ...r.qset.values()]) used.add(batchDigest)
  for (const digest of [...r.batches.keys()].filter((digest) => !used.has(digest))) {
    r.batches.delete(digest)
    r.host.delete(`reqBatch.${digest}`)
  }
}

function accept(r: Replica, from: MemberIndex, n: number, id: string): void {
  if (hasFallenBehind(r, from, n, id) || !r.isInWindow(n)) return
  const values = r.said.get(n) ?? new Map<MemberIndex, string>()
  r.said.set(n, values)
  const before = values.get(from)
  // One value each (§15 W27).
  if ((before ?? id) !== id) return r.log('warning', `replica ${from} says two things of checkpoint ${n}; the first counts`)
  const isNews = ![...values.values()].includes(id)
  values.set(from, id)
  // Said once: the next value makes it no worse.
  if (isNews && new Set(values.values()).size === r.quorums.f + 2)
    r.log('error', `more than ${r.quorums.f} replicas disagree about the state after number ${n}`)
  const members = [...values].filter(([, value]) => value === id).map(([member]) => member)
  if (members.length > r.quorums.f) onWeakCertificate(r, n, id, members)
  if (members.length < r.quorums.intersection) return
  const isOwn = r.checkpoints.has(n)
  if (isOwn || (r.isOutOfDate && n >= r.h + r.half)) moveWatermarks(r, n)
  if (isOwn) r.rules.processNewView(r)
}

function onWeakCertificate(r: Replica, n: number, id: string, members: readonly MemberIndex[]): void {
  const own = r.checkpoints.get(n)
  if (own === id) return
  if (own !== undefined) {
    r.host.setValid(false)
    return r.host.halt(`the state after number ${n} is ${own} here and ${id} at replicas ${members.join(', ')}: this validator has diverged and stops voting`)
  }
  // A state between checkpoints is of use to who has the checkpoint before it: without one there would be none to begin a view from.
  if (n % r.K !== 0 && !r.checkpoints.has(n - (n % r.K))) return
  const target = learnTarget(r, n, id, members)
  if (target && r.isOutOfDate) retryTransfer(r, target)
}

/** Whether f + 1 members are beyond the high watermark: then this replica will not get there by itself (§8.3). */
function hasFallenBehind(r: Replica, from: MemberIndex, n: number, id: string): boolean {
  const high = r.h + r.L
  if (n < high) r.ahead.delete(from)
  else if (n % r.K === 0) r.ahead.set(from, { n, id })
  if (n < high || r.ahead.size <= r.quorums.f) return false
  const numbers = [...r.ahead.values()].map((told) => told.n).sort((left, right) => right - left)
  const certain = numbers[r.quorums.f] ?? 0
  for (const [member, told] of r.ahead) if (told.n < high) r.ahead.delete(member)
  if (certain <= high) return false
  r.log('warning', `${r.quorums.f + 1} replicas are beyond number ${certain}, above the window to ${high}: the state will be transferred`)
  r.waiting = []
  moveWatermarks(r, certain)
  r.isOutOfDate = false
  invalidate(r)
  r.timers.stop('newView')
  rememberTarget(r)
  return true
}

/** The checkpoints that revealed the lag are a target too, if f + 1 of them agree: the next may be long in coming (§15 W34). */
function rememberTarget(r: Replica): void {
  for (const { n, id } of r.ahead.values()) {
    const members = [...r.ahead].filter(([, told]) => told.n === n && told.id === id).map(([member]) => member)
    if (members.length > r.quorums.f) learnTarget(r, n, id, members)
  }
}
