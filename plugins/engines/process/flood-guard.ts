import type { Clock } from '../../../kernel/index.js'
import type { Effect } from '../../consensus/index.js'
import { printable } from '../../terminal/index.js'
import { bytesPerSecond, type ProcessLimits } from './limits.js'

const WINDOW_MS = 1000
const MAX_METRICS = 1000
const MAX_TIMERS = 10_000
const MAX_LOG_LINES_PER_SECOND = 200
const MAX_LINE_CHARACTERS = 4096

/** What one engine's process asks for, counted: nothing of it may grow without bound in the peer. */
export class FloodGuard {
  private windowStartMs: number
  private effects = 0
  private bytes = 0
  private lines = 0
  private droppedLines = 0
  private recordBytes = 0
  private readonly records = new Map<string, number>()
  private readonly metrics = new Set<string>()
  private readonly timers = new Set<string>()
  private readonly maxBytesPerSecond: number

  constructor(
    private readonly limits: ProcessLimits,
    private readonly clock: Clock,
    restored: ReadonlyMap<string, Uint8Array>,
    members: number,
  ) {
    this.maxBytesPerSecond = bytesPerSecond(limits, members)
    this.windowStartMs = clock.elapsedMs()
    for (const [key, value] of restored) this.keep(key, value)
  }

  /** Counts the effects of one answer. Returns which bound they break, in words; undefined if none. */
  count(effects: readonly Effect[], bytes: number): string | undefined {
    const { limits } = this
    this.nextWindow()
    this.effects += effects.length
    this.bytes += bytes
    if (effects.length > limits.maxEffects) return `it asked for ${effects.length} effects in one handler, more than ${limits.maxEffects}`
    if (this.effects > limits.maxEffectsPerSecond) return `it asked for more than ${limits.maxEffectsPerSecond} effects in a second`
    if (this.bytes > this.maxBytesPerSecond) return `it asked for effects of more than ${this.maxBytesPerSecond} bytes in a second`
    for (const effect of effects) {
      const broken = this.note(effect)
      if (broken !== undefined) return broken
    }
    return undefined
  }

  /** A timer has run out. */
  claimed(name: string): void {
    this.timers.delete(name)
  }

  /** The effects without log lines beyond what a log can bear, and those shortened. */
  quiet(effects: readonly Effect[]): readonly Effect[] {
    if (!effects.some(({ type }) => type === 'log' || type === 'halt')) return effects
    const kept: Effect[] = []
    for (const effect of effects) {
      if (effect.type === 'halt') kept.push({ type: 'halt', reason: printable(effect.reason, MAX_LINE_CHARACTERS) })
      else if (effect.type !== 'log') kept.push(effect)
      else if (++this.lines <= MAX_LOG_LINES_PER_SECOND) kept.push({ ...effect, message: printable(effect.message, MAX_LINE_CHARACTERS) })
      else this.droppedLines++
    }
    return kept
  }

  /** How many log lines were dropped in the seconds that are over. */
  takeDropped(): number {
    this.nextWindow()
    if (this.lines > 0) return 0
    const dropped = this.droppedLines
    this.droppedLines = 0
    return dropped
  }

  private nextWindow(): void {
    const now = this.clock.elapsedMs()
    if (now - this.windowStartMs < WINDOW_MS) return
    this.windowStartMs = now
    this.effects = this.bytes = this.lines = 0
  }

  private note(effect: Effect): string | undefined {
    if (effect.type === 'record') return this.keep(...effect.record)
    if (effect.type === 'deliver') {
      for (const record of effect.put) {
        const broken = this.keep(...record)
        if (broken !== undefined) return broken
      }
    }
    if (effect.type === 'metric') this.metrics.add(effect.name)
    if (this.metrics.size > MAX_METRICS) return `it has more than ${MAX_METRICS} metrics`
    if (effect.type === 'timer') this.timers.add(effect.name)
    if (effect.type === 'cancel-timer') this.timers.delete(effect.name)
    return this.timers.size > MAX_TIMERS ? `it has more than ${MAX_TIMERS} timers` : undefined
  }

  private keep(key: string, value: Uint8Array | undefined): string | undefined {
    const { maxRecords, maxRecordBytes } = this.limits
    this.recordBytes -= this.records.get(key) ?? 0
    this.records.delete(key)
    if (value === undefined) return undefined
    const bytes = key.length + value.length
    this.records.set(key, bytes)
    this.recordBytes += bytes
    if (this.records.size > maxRecords) return `it keeps more than ${maxRecords} records`
    return this.recordBytes > maxRecordBytes ? `it keeps records of more than ${maxRecordBytes} bytes` : undefined
  }
}
