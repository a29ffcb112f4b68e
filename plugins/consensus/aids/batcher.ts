import { inParts } from './in-parts.js'

/** How an engine cuts batches. `adaptive`: as soon as it pays; `fixed`: v0.6, on size or a time after the first request. */
export const BATCHING = ['adaptive', 'fixed'] as const
/** One of `BATCHING`. */
export type Batching = (typeof BATCHING)[number]

/** A batch takes no longer on its way than engines wait for progress, and fits into one message of an original. */
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
  const { batching, size, timeoutMs, busyMs = 50, maxInFlight = 2, maxBytes = MOST_BYTES } = options
  const bytesOf = (item: T): number => effects.bytesOf?.(item) ?? 0
  let items: T[] = []
  /** Of what waits. */
  let bytes = 0
  let inFlight = 0
  let lastCut = Number.NEGATIVE_INFINITY
  let firstAt = 0
  /** When the timer fires; undefined: it does not run. */
  let timerAt: number | undefined

  const waitMs = (now: number): number => {
    const rest = firstAt + timeoutMs - now
    if (batching === 'fixed') return rest
    return inFlight === 0 ? 0 : Math.min(rest, lastCut + busyMs - now)
  }
  const mayCut = (): boolean => items.length > 0 && inFlight < maxInFlight
  const stopTimer = (): void => {
    if (timerAt === undefined) return
    timerAt = undefined
    effects.cancelTimer()
  }
  const isFull = (): boolean => items.length >= size || bytes >= maxBytes
  const firstPart = (): T[] => inParts(items, { maxItems: size, maxBytes, bytesOf }).next().value ?? []
  const cut = (now: number): void => {
    const batch = items.length <= size && bytes <= maxBytes ? items : firstPart()
    items = batch === items ? [] : items.slice(batch.length)
    for (const item of batch) bytes -= bytesOf(item)
    inFlight++
    lastCut = now
    firstAt = now
    effects.cut(batch)
  }
  /** `due`: the present turn's requests are gathered, so that a wait of 0 is over. */
  const decide = (due: boolean): void => {
    const now = effects.now()
    let isDue = due
    while (mayCut()) {
      const full = isFull()
      const wait = full ? 0 : Math.max(0, waitMs(now))
      if (wait > 0 || (!full && !isDue)) {
        if (timerAt === now + wait) return
        timerAt = now + wait
        return effects.setTimer(wait)
      }
      cut(now)
      isDue = due
    }
    stopTimer()
  }
  return {
    add(item) {
      if (items.length === 0) firstAt = effects.now()
      items.push(item)
      bytes += bytesOf(item)
      // A running timer stays right until the batch is full: nothing to decide.
      if (timerAt === undefined || isFull()) decide(false)
    },
    timeUp() {
      timerAt = undefined
      decide(true)
    },
    finished() {
      inFlight = Math.max(0, inFlight - 1)
      decide(true)
    },
    get waiting() {
      return items.length
    },
    clear() {
      const rest = items
      items = []
      bytes = 0
      inFlight = 0
      stopTimer()
      return rest
    },
  }
}
