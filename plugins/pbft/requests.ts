import { pbft } from '../../proto/index.js'
import { detached, type EngineRequest, type MemberIndex, type RequestId } from '../consensus/index.js'
import { type Batch, NOTHING, toBatch, toEngineRequest } from './messages.js'
import type { Replica, Waiting } from './replica.js'
import { lags } from './transfer.js'

/** Announcements that a member is sent at once when its link comes up. */
const MAX_REPEATED = 500
/** An overtaken request is announced again at most this often. */
const REPEAT_AFTER_MS = 250
/** What is announced again because nothing moves is announced less and less often. */
const MAX_DOUBLINGS = 6
const LONGEST_HOLD_MS = 2000
const PATIENT_TICKS = 5
const MICROS_PER_SECOND = 1_000_000n

/** A request that this validator accepted (spec/consensus.md §12.2): announced to all, once in the life of the request. */
export function onOwnRequest(r: Replica, request: EngineRequest): void {
  const { id } = request
  const known = r.book.get(id)
  const former = r.former.get(id)
  if (isOver(r, id)) {
    // Its owner would wait for ever; what is being delivered ends with its block.
    if (!r.delivering?.ids.has(id)) r.host.forget([id])
  } else if (known) r.book.markOwn(known)
  else if (former) {
    // Perhaps it was executed and rejected meanwhile: it is announced again as soon as nothing moves.
    former.content.announcedAt = 0
    remember(r, former)
    resubmit(r)
  } else if ((r.isOutOfDate || (r.hasOriginals && r.held.size > 0)) && r.isFirstEpoch && r.quorums.N > 1) {
    r.held.set(id, request)
    r.timers.softStart('announce', Math.min(r.options.requestMs, LONGEST_HOLD_MS))
  } else if (!r.held.has(id)) accept(r, request)
}

/** The journal's requests have waited long enough for a block that holds them, and those that came after them for their turn: originals take none that is older than an executed one. */
export function announceHeld(r: Replica): void {
  // What the blocks to come hold need not be announced, unless none come.
  if (r.hasOriginals && (r.isOutOfDate || lags(r)) && r.idleTicks < PATIENT_TICKS) return r.timers.set('announce', LONGEST_HOLD_MS)
  for (const request of r.held.values()) if (!isOver(r, request.id)) accept(r, request)
  r.held.clear()
}

/** A request that a member announced. What is no transaction, or has no time, is not stored (§15 W20, W23). */
export function onRemoteRequest(r: Replica, from: MemberIndex, told: pbft.Request): void {
  const payload = detached(told.payload)
  const read = told.timestamp && toEngineRequest(payload)
  if (!read) return r.log('warning', `a request from replica ${from} is dropped: it has no time or holds no transaction`)
  const { id } = read
  if (isOver(r, id) || r.book.get(id)) return
  const request = { timestamp: told.timestamp, payload, replicaId: told.replicaId, signature: detached(told.signature) }
  const waiting: Waiting = { id, from, isOwn: r.held.delete(id), isQueued: false, content: { request, arrivedAt: r.host.now, announcedAt: 0, repeats: 0 } }
  r.known.add(payload, read)
  if (!remember(r, waiting)) return r.log('warning', `replica ${from} has too many requests waiting: one is dropped`)
  if (!mayPropose(r)) startRequestTimer(r)
  else if (!waiting.isQueued) queue(r, waiting)
}

/** The batcher cut a batch: what is executed by now is left out. */
export function cut(r: Replica, requests: readonly Waiting[]): void {
  const live = requests.filter((waiting) => r.book.get(waiting.id) === waiting)
  if (live.length === 0) return void r.finishedBatches++
  const batch = toBatch({ batch: live.map(({ content }) => content.request) }, r.known)
  r.ownBatches.add(batch.digest)
  r.rules.orderBatch(r, batch)
}

/** The timer of requests that are in no batch (§12.4). */
export function startRequestTimer(r: Replica): void {
  if (r.isOutOfDate || r.isSealed || r.currentExec !== undefined || !r.isActive) return
  if (r.book.hasUnqueued) r.timers.softStart('newView', r.options.requestMs)
}

/** As primary, queues what is in no batch (§12.5). */
export function resubmit(r: Replica): void {
  startRequestTimer(r)
  if (mayPropose(r)) for (const waiting of r.book.unqueued()) queue(r, waiting)
  for (; r.finishedBatches > 0; r.finishedBatches--) r.batcher.finished()
}

/** A view begins: what its numbers do not hold is in no batch (§12.5). */
export function onViewEntered(r: Replica): void {
  r.viewStartedAt = r.host.now
  requeueAll(r)
  resubmit(r)
}

/** A batch is about to be executed: its requests wait no more. */
export function onExecuting(r: Replica, batch: Batch): void {
  if (r.ownBatches.delete(batch.digest)) r.finishedBatches++
  let ownLatest: Waiting | undefined
  let youngestMs = 0
  for (const { id } of batch.requests) {
    const done = r.book.remove(id)
    if (done?.from === r.self) ownLatest = done
    if (done && done.content.arrivedAt > youngestMs) youngestMs = done.content.arrivedAt
    r.held.delete(id)
  }
  if (ownLatest) repeatOvertaken(r, ownLatest)
  if (isCensored(r, youngestMs)) r.rules.leaveView(r, r.view + 1)
}

/** It was executed. A rejected request is in no block: it may be ordered again, as nobody remembers it after a restart. */
export function onExecuted(r: Replica, { requests }: Batch, rejected: readonly RequestId[]): void {
  const isRejected = rejected.length === 0 ? undefined : new Set(rejected)
  for (const { id } of requests) if (isRejected?.has(id) !== true) r.book.markExecuted(id)
}

/** Whether a batch holds something twice, or what is executed or in another number (§15 W18). */
export function isRepeated(r: Replica, { ids, requests }: Batch, n: number): boolean {
  return ids.size < requests.length || requests.some(({ id }) => isOver(r, id) || isProposed(r, id, n))
}

/**
 * Blocks came by a transfer. The host says the own requests again that are in none of them; those of others stay, unless it cannot be told
 * which the blocks hold (§15 W38).
 */
export function onBlocksCame(r: Replica, executed: readonly RequestId[] | undefined): void {
  r.former = new Map([...r.book.own()].map((waiting) => [waiting.id, waiting]))
  for (const id of [...r.former.keys(), ...(executed ?? [...r.book.all()].map(({ id }) => id))]) r.book.remove(id)
  for (const id of executed ?? []) r.book.markExecuted(id)
  requeueAll(r)
}

/** Says the own requests again that a member may have missed. The primary has those that were sent well before its link broke. */
export function repeatRequests(r: Replica, member: MemberIndex, downSinceMs: number): void {
  const recentMs = ordersTwice(r, member) ? downSinceMs : member === r.primaryOf(r.view) ? downSinceMs - r.options.requestMs : 0
  const missed = [...r.book.own()].filter(({ id, content }) => content.announcedAt >= recentMs && !isProposed(r, id))
  for (const { content } of missed.slice(0, MAX_REPEATED)) {
    if (r.hasOriginals) content.repeats++
    r.host.send(member, pbft.encodeRequest(content.request))
  }
}

/** Nothing moves: announces again what was announced long ago. Others may have executed and rejected it while this replica was away. */
export function repeatStale(r: Replica): void {
  const waitMs = (repeats: number): number => r.options.requestMs * 2 ** Math.min(repeats + 1, MAX_DOUBLINGS)
  const stale = [...r.book.own()].filter(({ id, content }) => r.host.now - content.announcedAt > waitMs(content.repeats) && !isProposed(r, id))
  for (const { content } of stale.slice(0, MAX_REPEATED)) {
    content.announcedAt = r.host.now
    content.repeats++
    for (const { index } of r.host.members) if (index !== r.self && !ordersTwice(r, index)) r.host.send(index, pbft.encodeRequest(content.request))
  }
}

/** Whether a member may be an original that leads its view: it would order what it is told again twice (§15 W18). If it has missed something, the others leave it. */
const ordersTwice = (r: Replica, member: MemberIndex): boolean =>
  r.hasOriginals && [r.view, r.seenIn.get(member) ?? 0].some((view) => r.primaryOf(view) === member)
const mayPropose = (r: Replica): boolean => r.isPrimary && r.isActive && !r.isOutOfDate && !r.isSealed
const isOver = (r: Replica, id: RequestId): boolean => r.book.isExecuted(id) || r.delivering?.ids.has(id) === true

/** Whether a number that is not executed yet holds it in this view, or has been decided to. */
function isProposed(r: Replica, id: RequestId, except?: number): boolean {
  const { executedTo } = r
  for (const { n, proposal, committed } of r.slots.values()) {
    if (n <= executedTo || n === except) continue
    const digest = committed ?? proposal
    if (digest && r.batches.get(digest)?.ids.has(id)) return true
  }
  return false
}

function accept(r: Replica, own: EngineRequest): void {
  const { id, bytes } = own
  r.known.add(bytes, own)
  // Growing, whatever the clock says (§15 W19), and the same in a later life: originals that have the request know it again.
  const at = BigInt(own.acceptedAt ?? r.host.now * 1000)
  const timestamp = { seconds: at / MICROS_PER_SECOND, nanos: Number(at % MICROS_PER_SECOND) * 1000 }
  const request: pbft.Request = { timestamp, payload: bytes, replicaId: BigInt(r.self), signature: NOTHING }
  const waiting: Waiting = { id, from: r.self, isOwn: true, isQueued: false, content: { request, arrivedAt: r.host.now, announcedAt: r.host.now, repeats: 0 } }
  r.host.broadcast(pbft.encodeRequest(request))
  remember(r, waiting)
  startRequestTimer(r)
  if (mayPropose(r) && !waiting.isQueued) queue(r, waiting)
}

function remember(r: Replica, waiting: Waiting): boolean {
  waiting.isQueued = isProposed(r, waiting.id)
  return r.book.add(waiting)
}

function queue(r: Replica, waiting: Waiting): void {
  r.book.markQueued(waiting)
  r.batcher.add(waiting)
}

function requeueAll(r: Replica): void {
  r.batcher.clear()
  r.ownBatches.clear()
  r.finishedBatches = 0
  r.waiting = []
  r.book.requeue((id) => isProposed(r, id))
}

/** An own request was overtaken by one that was announced after it: links keep the order, so the primary never got it (§15 W26). */
function repeatOvertaken(r: Replica, { content: { announcedAt } }: Waiting): void {
  const primary = r.primaryOf(r.view)
  for (const { id, content, from } of r.book.own()) {
    if (from !== r.self || content.announcedAt > announcedAt || primary === r.self) return
    if (isProposed(r, id) || ordersTwice(r, primary) || r.host.now - content.announcedAt < REPEAT_AFTER_MS) continue
    content.announcedAt = r.host.now
    r.host.send(primary, pbft.encodeRequest(content.request))
  }
}

/** Whether the oldest request is passed over: requests that came a whole time-out after it are executed before it (§15 W22). */
function isCensored(r: Replica, youngestMs: number): boolean {
  const [oldest] = r.book.unqueued()
  if (!oldest || !r.isActive || r.isPrimary || isProposed(r, oldest.id)) return false
  const since = Math.max(oldest.content.arrivedAt, r.viewStartedAt)
  return youngestMs - since > r.options.requestMs && r.host.now - since > 2 * r.options.requestMs
}
