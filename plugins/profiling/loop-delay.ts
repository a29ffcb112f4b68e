import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const RESOLUTION_MS = 10
const NANOS_PER_MS = 1e6
const PERCENTILES = [50, 75, 90, 99, 99.9, 100] as const

/** How late the event loop was, in milliseconds. */
export interface LoopDelayReport {
  readonly seconds: number
  readonly observations: number
  readonly meanMs: number
  readonly maxMs: number
  /** `p50`: half of the observations were at most so late. */
  readonly percentilesMs: Readonly<Record<string, number>>
}

/** Measures the delay of the event loop from `start` on. */
export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #sinceMs = performance.now()

  start(): this {
    this.#sinceMs = performance.now()
    this.#histogram.enable()
    return this
  }

  stop(): void {
    this.#histogram.disable()
  }

  report(): LoopDelayReport {
    const { count, mean, max } = this.#histogram
    // The interval itself is part of what Node measures.
    const ms = (nanos: number): number => (count === 0 ? 0 : Math.max(0, Math.round((nanos / NANOS_PER_MS - RESOLUTION_MS) * 1000) / 1000))
    const percentilesMs = Object.fromEntries(PERCENTILES.map((percentile) => [`p${percentile}`, ms(this.#histogram.percentile(percentile))]))
    return { seconds: Math.round((performance.now() - this.#sinceMs) / 100) / 10, observations: count, meanMs: ms(mean), maxMs: ms(max), percentilesMs }
  }
}

/** Of the next seconds. Rejects with the signal's reason when it is aborted. */
export async function measureLoopDelay(seconds: number, signal: AbortSignal): Promise<LoopDelayReport> {
  const delay = new LoopDelay().start()
  try {
    await sleep(seconds * 1000, undefined, { signal })
    return delay.report()
  } finally {
    delay.stop()
  }
}

export function loopDelayText({ seconds, observations, meanMs, maxMs, percentilesMs }: LoopDelayReport): string {
  const rows = Object.entries(percentilesMs).map(([percentile, ms]) => `${percentile.padStart(7)}  ${ms.toFixed(3).padStart(10)} ms`)
  return `event loop delay within ${seconds} s: ${observations} observations, mean ${meanMs.toFixed(3)} ms, longest ${maxMs.toFixed(3)} ms\n${rows.join('\n')}\n`
}
