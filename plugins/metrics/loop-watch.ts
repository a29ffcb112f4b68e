import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Clock } from '../../kernel/index.js'

/** Every look wakes the process: at 20 ms it was measured at half a percent of a processor. */
const RESOLUTION_MS = 100
const WINDOW_MS = 10_000
/** How long a stall is told of. */
const MEMORY_MS = 30_000
const NANOS = 1e9

/** Delays of the event loop within the last window, in seconds. */
export interface LoopDelays {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Watches the event loop: how late timers are, in windows of ten seconds, and the worst stall lately. */
export class LoopWatch {
  readonly #histogram: IntervalHistogram
  #last: LoopDelays | undefined
  #worst: { readonly seconds: number; readonly atMs: number } | undefined
  #cancel = (): void => undefined

  constructor(private readonly clock: Clock) {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  }

  start(): void {
    this.#histogram.enable()
    this.#schedule()
  }

  stop(): void {
    this.#cancel()
    this.#histogram.disable()
  }

  /** Of the last complete window; of the running one before there is any. */
  delays(): LoopDelays {
    return this.#last ?? this.#read()
  }

  /** The longest stall of the last half minute, in seconds. */
  worstLately(): number {
    const now = this.#read().max
    const before = this.#worst !== undefined && this.clock.elapsedMs() - this.#worst.atMs < MEMORY_MS ? this.#worst.seconds : 0
    return Math.max(now, before)
  }

  /** How long the loop has been at work since the start, in seconds. */
  activeSeconds(): number {
    return performance.eventLoopUtilization().active / 1000
  }

  #schedule(): void {
    this.#cancel = this.clock.setTimer(WINDOW_MS, () => {
      this.#turn()
      this.#schedule()
    })
  }

  #turn(): void {
    const delays = this.#read()
    this.#histogram.reset()
    this.#last = delays
    if (delays.max >= this.worstLately()) this.#worst = { seconds: delays.max, atMs: this.clock.elapsedMs() }
  }

  #read(): LoopDelays {
    // Node counts the time between two ticks of its timer, the interval itself included.
    const seconds = (nanos: number): number => Math.max(0, nanos / NANOS - RESOLUTION_MS / 1000)
    const { max, exceeds } = this.#histogram
    const isEmpty = max === 0 && exceeds === 0
    if (isEmpty) return { p50: 0, p99: 0, max: 0 }
    return { p50: seconds(this.#histogram.percentile(50)), p99: seconds(this.#histogram.percentile(99)), max: seconds(max) }
  }
}
