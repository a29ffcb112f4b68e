import type { MemberIndex, RequestId } from '../engine/engine.js'
import { inParts } from './in-parts.js'
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

/** A request to be remembered. What is left out is false. */
export type NewRequest<T> = Pick<Outstanding<T>, 'id' | 'from' | 'content'> & Partial<Pick<Outstanding<T>, 'isOwn' | 'isQueued'>>

/** What a leader-based engine remembers of requests: those that wait, each once whoever tells of it, and those that are executed. Orders are those of arrival. */
export interface RequestBook<T> {
  readonly size: number
  readonly queuedCount: number
  get(id: RequestId): Outstanding<T> | undefined
  all(): Iterable<Outstanding<T>>
  own(): Iterable<Outstanding<T>>
  unqueued(): Iterable<Outstanding<T>>
  readonly hasUnqueued: boolean
  /** The contents of the first that are not queued, for a block: at most so many, and so many bytes; one of any size. */
  first(maxItems: number, maxBytes: number): T[]
  /**
   * False if it is executed, or goes beyond what its member may have here. Own requests always get in: the host bounds them. The object is kept,
   * unless the request is known; then that one becomes an own one if this is.
   */
  add(request: NewRequest<T>): boolean
  markOwn(request: Outstanding<T>): void
  markQueued(request: Outstanding<T>): void
  /** Says of every request anew whether it is queued. */
  requeue(isQueued: (id: RequestId) => boolean): void
  remove(id: RequestId): Outstanding<T> | undefined
  isExecuted(id: RequestId): boolean
  markExecuted(id: RequestId): void
  /** A block with these requests was made: they wait no more. Those that were `rejected` are not in it and may be ordered again, the others not. */
  settle(requests: Iterable<{ readonly id: RequestId }>, rejected?: readonly RequestId[]): void
  /**
   * After a transfer that reached its target, with the `executed` of its result: forgets the own requests, since the host says again those that are open, and of
   * others' those that were executed, or all if it is not known which.
   */
  transferred(executed: readonly RequestId[] | undefined): void
}

/** Bounds of a request book, and what is known from the start. */
export interface RequestBookLimits<T> {
  /** Default 20,000. */
  readonly maxPerMember?: number
  /** Default 256 MiB. */
  readonly maxBytesPerMember?: number
  /** Newest executed requests that are remembered. Default 40,000. */
  readonly maxExecuted?: number
  readonly bytesOf: (content: T) => number
  /** `start.executed` of the engine. */
  readonly executed?: Iterable<RequestId> | undefined
}

/** A request book in which nothing waits. */
export function createRequestBook<T>(limits: RequestBookLimits<T>): RequestBook<T> {
  const { maxPerMember = 20_000, maxBytesPerMember = 256 * 1024 * 1024, maxExecuted = 40_000, bytesOf } = limits
  const entries = new Map<RequestId, Outstanding<T>>()
  const own = new Map<RequestId, Outstanding<T>>()
  const unqueued = new Map<RequestId, Outstanding<T>>()
  const counts = new Map<MemberIndex, { requests: number; bytes: number }>()
  const countOf = (member: MemberIndex): { requests: number; bytes: number } => {
    const count = counts.get(member) ?? { requests: 0, bytes: 0 }
    counts.set(member, count)
    return count
  }
  const executed = createRecentIds(maxExecuted, limits.executed)
  const remove = (id: RequestId): Outstanding<T> | undefined => {
    const request = entries.get(id)
    if (!request) return undefined
    for (const map of [entries, own, unqueued]) map.delete(id)
    const count = countOf(request.from)
    count.requests--
    count.bytes -= bytesOf(request.content)
    return request
  }
  const markOwn = (request: Outstanding<T>): void => {
    request.isOwn = true
    own.set(request.id, request)
  }
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
    first(maxItems, maxBytes) {
      for (const part of inParts(unqueued.values(), { maxItems, maxBytes, bytesOf: ({ content }) => bytesOf(content) }))
        return part.map(({ content }) => content)
      return []
    },
    add(told) {
      if (executed.has(told.id)) return false
      const request = Object.assign(told, { isOwn: told.isOwn ?? false, isQueued: told.isQueued ?? false })
      const { isOwn } = request
      const known = entries.get(told.id)
      if (known && isOwn) markOwn(known)
      if (known) return true
      const count = countOf(told.from)
      const bytes = bytesOf(told.content)
      // One request of any size gets in: its size is the transport's affair.
      const isTooMuch = count.requests >= maxPerMember || (count.requests > 0 && count.bytes + bytes > maxBytesPerMember)
      if (isTooMuch && !isOwn) return false
      count.requests++
      count.bytes += bytes
      entries.set(request.id, request)
      if (isOwn) own.set(request.id, request)
      if (!request.isQueued) unqueued.set(request.id, request)
      return true
    },
    markOwn,
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
    remove,
    isExecuted: (id) => executed.has(id),
    markExecuted: (id) => executed.add(id),
    settle(requests, rejected = []) {
      const isRejected = new Set(rejected)
      for (const { id } of requests) {
        remove(id)
        if (!isRejected.has(id)) executed.add(id)
      }
    },
    transferred(newest) {
      for (const id of [...own.keys(), ...(newest ?? [...entries.keys()])]) remove(id)
      for (const id of newest ?? []) executed.add(id)
    },
  }
}
