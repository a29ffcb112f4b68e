import { type EngineRequest, inParts, type MemberIndex } from 'weft/consensus'
import type { Message } from './messages.js'
import { contentsOf, type Replica, sizeOf, type Waiting } from './replica.js'

/** Requests of one message, and their bytes. */
const MAX_FORWARDED = 500
const MAX_FORWARDED_BYTES = 1024 * 1024

/** The host gives a request that this member accepted. */
export function onOwnRequest(r: Replica, request: EngineRequest): void {
  const { id } = request
  const isOpen = r.book.add({ id, from: r.self, isOwn: true, isQueued: r.isOnItsWay(id), content: request })
  if (isOpen) passOnSoon(r)
  // It is in the chain: its owner would wait for ever.
  else r.host.forget([id])
}

/** A leader queues at once; others gather what arrives in the same turn. */
export function passOnSoon(r: Replica): void {
  if (r.isLeader) passOn(r)
  else if (r.leader !== undefined && r.book.hasUnqueued) r.timers.softStart('forward', 0)
}

/** Requests that were not passed on go to the leader, or, if that is this member, into its next batch. */
export function passOn(r: Replica): void {
  if (r.leader === undefined || !r.book.hasUnqueued) return
  if (r.isLeader && (r.handOver || r.isSealed)) return
  const waiting = [...r.book.unqueued()]
  for (const request of waiting) r.book.markQueued(request)
  if (r.isLeader) for (const request of waiting) r.batcher.add(request)
  else forward(r, r.leader, waiting)
}

/**
 * Another leader must be told of everything again: of an entry that is not committed nobody knows what will become of it. What it has in its log already it
 * does not take twice.
 */
export function passOnAgain(r: Replica): void {
  r.book.requeue((id) => r.isDecided(id))
  passOnSoon(r)
}

/** Whatever became of them: requests that are in no log are passed on again. */
export function onRetry(r: Replica): void {
  r.timers.set('retry', r.options.retryMs)
  if (!r.isLeader) r.book.requeue((id) => r.isOnItsWay(id))
  passOn(r)
}

/**
 * Requests of another member. What it has not delivered and is in the log it does not know of; what it has delivered and brings again was rejected, and is ordered anew.
 * What is in the chain is never ordered again: ids are known from the log for whoever has delivered what came before the log, and others wait.
 */
export function onForward(r: Replica, from: MemberIndex, { delivered, requests }: Message & { kind: 'forward' }): void {
  if (!r.isLeader) return
  if (delivered < r.log.base.index) return r.host.log('debug', `requests of member ${from} wait until it has caught up`)
  for (const request of requests) {
    const { id } = request
    const isKnown = r.book.get(id) !== undefined || r.book.isExecuted(id) || (r.log.placeOf(id) ?? 0) > delivered
    if (isKnown || r.book.add({ id, from, isOwn: false, isQueued: false, content: request })) continue
    r.host.log('debug', `a request of member ${from} is dropped: too many of its requests wait; it comes again`)
  }
  passOn(r)
}

function forward(r: Replica, to: MemberIndex, waiting: readonly Waiting[]): void {
  for (const part of inParts(waiting, { maxItems: MAX_FORWARDED, maxBytes: MAX_FORWARDED_BYTES, bytesOf: sizeOf }))
    r.send(to, { kind: 'forward', delivered: r.delivered, requests: contentsOf(part) })
}
