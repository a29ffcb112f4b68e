import type { MemberIndex, RequestId } from './engine.js'
import { createRecentIds } from './recent-ids.js'

/** A request that is not executed yet, with what the engine knows of it. */
export interface Outstanding<T> {
  readonly id: RequestId
  /** Who told of it first. */
  readonly from: MemberIndex
  /** This validator accepted it, too. */
  isOwn: boolean
  /** Given to be ordered: in the batcher, or part of a proposal. */
  isQueued: boolean
  readonly content: T
}

/** What a leader-based engine remembers of requests: those that wait, each once whoever tells of it, and those that are executed. Orders are those of arrival. */
export interface RequestBook<T> {
  readonly size: number
  readonly queuedCount: number
  get(id: RequestId): Outstanding<T> | undefined
  all(): Iterable<Outstanding<T>>
  own(): Iterable<Outstanding<T>>
  unqueued(): Iterable<Outstanding<T>>
  readonly hasUnqueued: boolean
  /** False if it goes beyond what its member may have here. Own requests always get in: the host bounds them. */
  add(request: Outstanding<T>): boolean
  markOwn(request: Outstanding<T>): void
  markQueued(request: Outstanding<T>): void
  /** Says of every request anew whether it is queued. */
  requeue(isQueued: (id: RequestId) => boolean): void
  remove(id: RequestId): Outstanding<T> | undefined
  isExecuted(id: RequestId): boolean
  markExecuted(id: RequestId): void
}

/** Bounds of a request book. */
export interface RequestBookLimits<T> {
  readonly maxPerMember: number
  readonly maxBytesPerMember: number
  /** Newest executed requests that are remembered. */
  readonly maxExecuted: number
  readonly bytesOf: (content: T) => number
}

/** An empty request book. */
export function createRequestBook<T>(limits: RequestBookLimits<T>): RequestBook<T> {
  const entries = new Map<RequestId, Outstanding<T>>()
  const own = new Map<RequestId, Outstanding<T>>()
  const unqueued = new Map<RequestId, Outstanding<T>>()
  const counts = new Map<MemberIndex, { requests: number; bytes: number }>()
  const countOf = (member: MemberIndex): { requests: number; bytes: number } => {
    const count = counts.get(member) ?? { requests: 0, bytes: 0 }
    counts.set(member, count)
    return count
  }
  const executed = createRecentIds(limits.maxExecuted)
  return {
    get size() {
      return entries.size
    },
    get queuedCount() {
      return entries.size - unqueued.size
    },
    get hasUnqueued() {
      return unqueued.size > 0
    },
    get: (id) => entries.get(id),
    all: () => entries.values(),
    own: () => own.values(),
    unqueued: () => unqueued.values(),
    add(request) {
      const count = countOf(request.from)
      const bytes = limits.bytesOf(request.content)
      // One request of any size gets in: its size is the transport's affair.
      const isTooMuch = count.requests >= limits.maxPerMember || (count.requests > 0 && count.bytes + bytes > limits.maxBytesPerMember)
      if (isTooMuch && !request.isOwn) return false
      count.requests++
      count.bytes += bytes
      entries.set(request.id, request)
      if (request.isOwn) own.set(request.id, request)
      if (!request.isQueued) unqueued.set(request.id, request)
      return true
    },
    markOwn(request) {
      request.isOwn = true
      own.set(request.id, request)
    },
    markQueued(request) {
      request.isQueued = true
      unqueued.delete(request.id)
    },
    requeue(isQueued) {
      unqueued.clear()
      for (const request of entries.values()) {
        request.isQueued = isQueued(request.id)
        if (!request.isQueued) unqueued.set(request.id, request)
      }
    },
    remove(id) {
      const request = entries.get(id)
      if (!request) return undefined
      for (const map of [entries, own, unqueued]) map.delete(id)
      const count = countOf(request.from)
      count.requests--
      count.bytes -= limits.bytesOf(request.content)
      return request
    },
    isExecuted: (id) => executed.has(id),
    markExecuted: (id) => executed.add(id),
  }
}
