import type { MemberIndex, RequestId } from '../engine/engine.js'
import { inParts } from './in-parts.js'
import { createRecentIds, type RecentIds } from './recent-ids.js'

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
  return new Book(limits)
}

interface MemberCount {
  requests: number
  bytes: number
}

/** A class for the sake of its getters: an object literal with getters is a dictionary to V8. */
class Book<T> implements RequestBook<T> {
  readonly #maxPerMember: number
  readonly #maxBytesPerMember: number
  readonly #bytesOf: (content: T) => number
  readonly #entries = new Map<RequestId, Outstanding<T>>()
  readonly #own = new Map<RequestId, Outstanding<T>>()
  readonly #unqueued = new Map<RequestId, Outstanding<T>>()
  readonly #counts = new Map<MemberIndex, MemberCount>()
  readonly #executed: RecentIds

  constructor({ maxPerMember = 20_000, maxBytesPerMember = 256 * 1024 * 1024, maxExecuted = 40_000, bytesOf, executed }: RequestBookLimits<T>) {
    this.#maxPerMember = maxPerMember
    this.#maxBytesPerMember = maxBytesPerMember
    this.#bytesOf = bytesOf
    this.#executed = createRecentIds(maxExecuted, executed)
  }

  get size(): number {
    return this.#entries.size
  }

  get queuedCount(): number {
    return this.#entries.size - this.#unqueued.size
  }

  get hasUnqueued(): boolean {
    return this.#unqueued.size > 0
  }

  get(id: RequestId): Outstanding<T> | undefined {
    return this.#entries.get(id)
  }

  all(): Iterable<Outstanding<T>> {
    return this.#entries.values()
  }

  own(): Iterable<Outstanding<T>> {
    return this.#own.values()
  }

  unqueued(): Iterable<Outstanding<T>> {
    return this.#unqueued.values()
  }

  first(maxItems: number, maxBytes: number): T[] {
    for (const part of inParts(this.#unqueued.values(), { maxItems, maxBytes, bytesOf: ({ content }) => this.#bytesOf(content) }))
      return part.map(({ content }) => content)
    return []
  }

  add(told: NewRequest<T>): boolean {
    if (this.#executed.has(told.id)) return false
    const request = Object.assign(told, { isOwn: told.isOwn ?? false, isQueued: told.isQueued ?? false })
    const { isOwn } = request
    const known = this.#entries.get(told.id)
    if (known && isOwn) this.markOwn(known)
    if (known) return true
    const count = this.#countOf(told.from)
    const bytes = this.#bytesOf(told.content)
    // One request of any size gets in: its size is the transport's affair.
    const isTooMuch = count.requests >= this.#maxPerMember || (count.requests > 0 && count.bytes + bytes > this.#maxBytesPerMember)
    if (isTooMuch && !isOwn) return false
    count.requests++
    count.bytes += bytes
    this.#entries.set(request.id, request)
    if (isOwn) this.#own.set(request.id, request)
    if (!request.isQueued) this.#unqueued.set(request.id, request)
    return true
  }

  markOwn(request: Outstanding<T>): void {
    request.isOwn = true
    this.#own.set(request.id, request)
  }

  markQueued(request: Outstanding<T>): void {
    request.isQueued = true
    this.#unqueued.delete(request.id)
  }

  requeue(isQueued: (id: RequestId) => boolean): void {
    this.#unqueued.clear()
    for (const request of this.#entries.values()) {
      request.isQueued = isQueued(request.id)
      if (!request.isQueued) this.#unqueued.set(request.id, request)
    }
  }

  remove(id: RequestId): Outstanding<T> | undefined {
    const request = this.#entries.get(id)
    if (!request) return undefined
    this.#entries.delete(id)
    this.#own.delete(id)
    this.#unqueued.delete(id)
    const count = this.#countOf(request.from)
    count.requests--
    count.bytes -= this.#bytesOf(request.content)
    return request
  }

  isExecuted(id: RequestId): boolean {
    return this.#executed.has(id)
  }

  markExecuted(id: RequestId): void {
    this.#executed.add(id)
  }

  settle(requests: Iterable<{ readonly id: RequestId }>, rejected: readonly RequestId[] = []): void {
    const isRejected = new Set(rejected)
    for (const { id } of requests) {
      this.remove(id)
      if (!isRejected.has(id)) this.#executed.add(id)
    }
  }

  transferred(newest: readonly RequestId[] | undefined): void {
    for (const id of [...this.#own.keys(), ...(newest ?? [...this.#entries.keys()])]) this.remove(id)
    for (const id of newest ?? []) this.#executed.add(id)
  }

  #countOf(member: MemberIndex): MemberCount {
    const count = this.#counts.get(member) ?? { requests: 0, bytes: 0 }
    this.#counts.set(member, count)
    return count
  }
}
