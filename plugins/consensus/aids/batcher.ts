import { inParts } from './in-parts.js'

/** How an engine cuts batches. `adaptive`: as soon as it pays; `fixed`: v0.6, on size or a time after the first request. */
export const BATCHING = ['adaptive', 'fixed'] as const
/** One of `BATCHING`. */
export type Batching = (typeof BATCHING)[number]

/** A batch takes no longer on its way than engines wait for progress. */
const MOST_BYTES = 2 * 1024 * 1024

/** When a batcher cuts. */
export interface BatcherOptions {
  readonly batching: Batching
  /** Requests that make a batch full, 1 or more. */
  readonly size: number
  /** The longest that a request waits for its batch to fill, in milliseconds, while a batch may be cut at all. */
  readonly timeoutMs: number
  /** Adaptive, with a batch in flight: the next is cut this long after the last cut, if it is not full before. Default 50 ms. */
  readonly busyMs?: number
  /** Batches cut and not finished, at most. Default 2. */
  readonly maxInFlight?: number
  /** Bytes that make a batch full, if the engine says what a request has: only one that is larger by itself makes a larger batch. Default 2 MiB. */
  readonly maxBytes?: number
}

/** What the batcher asks of its engine, which passes it on to its host. */
export interface BatcherEffects<T> {
  /** Logical time in milliseconds. */
  now(): number
  /** (Re)starts the batcher's one timer; the engine calls `timeUp` when it fires. A delay of 0 fires after the requests that arrive together. */
  setTimer(delayMs: number): void
  cancelTimer(): void
  /** A batch, in order of arrival, never empty. */
  cut(batch: T[]): void
  /** Length of a request in bytes. */
  bytesOf?(item: T): number
  /** Adaptive: whether the engine is busy although no batch of its own is in flight, since others are not done with theirs. Default: it is not. */
  isBusy?(): boolean
}

/** Gathers requests into batches. */
export interface Batcher<T> {
  add(item: T): void
  /** From `onTimer`: the timer that was asked for with `setTimer` fired. */
  timeUp(): void
  /** A batch that was cut is committed (or given up): another may be cut. */
  finished(): void
  /** What is not cut yet. */
  readonly waiting: number
  /** Empties it, forgets batches in flight, cancels its timer. Returns what was not cut. */
  clear(): T[]
}

/**
 * Decides when an engine cuts a batch. Adaptive: an idle engine cuts at once, after the requests that arrived in the same
 * turn; a busy one when the batch is full or `busyMs` after the last cut; never more than `maxInFlight` at a time, so that batches grow
 * with the load. Deterministic: time comes from `effects.now`.
 */
export function createBatcher<T>(options: BatcherOptions, effects: BatcherEffects<T>): Batcher<T> {
  return new AdaptiveBatcher(options, effects)
}

/** A class for the sake of its getter: an object literal with a getter is a dictionary to V8. */
class AdaptiveBatcher<T> implements Batcher<T> {
  readonly #options: Required<BatcherOptions>
  readonly #effects: BatcherEffects<T>
  #items: T[] = []
  /** Of what waits. */
  #bytes = 0
  #inFlight = 0
  #lastCut = Number.NEGATIVE_INFINITY
  #firstAt = 0
  /** When the timer fires; undefined: it does not run. */
  #timerAt: number | undefined

  constructor({ batching, size, timeoutMs, busyMs = 50, maxInFlight = 2, maxBytes = MOST_BYTES }: BatcherOptions, effects: BatcherEffects<T>) {
    this.#options = { batching, size, timeoutMs, busyMs, maxInFlight, maxBytes }
    this.#effects = effects
  }

  add(item: T): void {
    if (this.#items.length === 0) this.#firstAt = this.#effects.now()
    this.#items.push(item)
    this.#bytes += this.#bytesOf(item)
    // A running timer stays right until the batch is full: nothing to decide.
    if (this.#timerAt === undefined || this.#isFull()) this.#decide(false)
  }

  timeUp(): void {
    this.#timerAt = undefined
    this.#decide(true)
  }

  finished(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1)
    this.#decide(true)
  }

  get waiting(): number {
    return this.#items.length
  }

  clear(): T[] {
    const rest = this.#items
    this.#items = []
    this.#bytes = 0
    this.#inFlight = 0
    this.#stopTimer()
    return rest
  }

  /** `due`: the present turn's requests are gathered, so that a wait of 0 is over. */
  #decide(due: boolean): void {
    const now = this.#effects.now()
    while (this.#items.length > 0 && this.#inFlight < this.#options.maxInFlight) {
      const full = this.#isFull()
      const wait = full ? 0 : Math.max(0, this.#waitMs(now))
      if (wait > 0 || (!full && !due)) {
        if (this.#timerAt === now + wait) return
        this.#timerAt = now + wait
        return this.#effects.setTimer(wait)
      }
      this.#cut(now)
    }
    this.#stopTimer()
  }

  #waitMs(now: number): number {
    const { batching, timeoutMs, busyMs } = this.#options
    const rest = this.#firstAt + timeoutMs - now
    if (batching === 'fixed') return rest
    const isIdle = this.#inFlight === 0 && this.#effects.isBusy?.() !== true
    return isIdle ? 0 : Math.min(rest, this.#lastCut + busyMs - now)
  }

  #cut(now: number): void {
    const { size, maxBytes } = this.#options
    const batch = this.#items.length <= size && this.#bytes <= maxBytes ? this.#items : this.#firstPart()
    this.#items = batch === this.#items ? [] : this.#items.slice(batch.length)
    for (const item of batch) this.#bytes -= this.#bytesOf(item)
    this.#inFlight++
    this.#lastCut = now
    this.#firstAt = now
    this.#effects.cut(batch)
  }

  #firstPart(): T[] {
    const { size, maxBytes } = this.#options
    return inParts(this.#items, { maxItems: size, maxBytes, bytesOf: (item) => this.#bytesOf(item) }).next().value ?? []
  }

  #isFull(): boolean {
    return this.#items.length >= this.#options.size || this.#bytes >= this.#options.maxBytes
  }

  #bytesOf(item: T): number {
    return this.#effects.bytesOf?.(item) ?? 0
  }

  #stopTimer(): void {
    if (this.#timerAt === undefined) return
    this.#timerAt = undefined
    this.#effects.cancelTimer()
  }
}
