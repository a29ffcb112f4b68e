/** A moment in UTC, as on the wire: seconds since 1970 and nanoseconds 0..999999999 (spec/wire.md §2.11). */
export interface Moment {
  readonly seconds: bigint
  readonly nanos: number
}

/** Time as everything but engines sees it. Injected, so that a simulator can own it. */
export interface Clock {
  /** Wall clock. */
  now(): Moment
  /** Monotonic milliseconds, for durations. */
  elapsedMs(): number
  /** Runs `task` once after `delayMs`; the returned function cancels it (no effect afterwards). */
  setTimer(delayMs: number, task: () => void): () => void
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = Object.freeze({
  now(): Moment {
    const ms = performance.timeOrigin + performance.now()
    const seconds = Math.floor(ms / 1000)
    return { seconds: BigInt(seconds), nanos: Math.min(999_999_999, Math.floor((ms - seconds * 1000) * 1e6)) }
  },
  elapsedMs: () => performance.now(),
  setTimer(delayMs: number, task: () => void) {
    const timer = setTimeout(task, delayMs).unref()
    return () => clearTimeout(timer)
  },
})
