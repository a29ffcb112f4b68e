import { PerformanceObserver, constants } from 'node:perf_hooks'
import { Durations } from '../level/index.js'

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcallbacks'],
])

/** Counts garbage collections and how long each took, by kind. */
export class GcWatch {
  readonly byKind = new Map<string, Durations>()
  readonly #observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) this.#add(kindOf(entry), entry.duration)
  })

  start(): void {
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  stop(): void {
    this.#observer.disconnect()
  }

  #add(kind: string, elapsedMs: number): void {
    const durations = this.byKind.get(kind) ?? new Durations()
    this.byKind.set(kind, durations)
    durations.add(elapsedMs)
  }
}

function kindOf(entry: object): string {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined
  const kind = typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined
  return (typeof kind === 'number' ? KINDS.get(kind) : undefined) ?? 'other'
}
