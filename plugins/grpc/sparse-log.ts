import type { Clock, LogFacts, Logger } from '../../kernel/index.js'

const PERIOD_MS = 10_000

/** Warnings that outsiders can cause: each kind is logged at most once in 10 s, with the number of those left out. */
export class SparseLog {
  readonly #told = new Map<string, { sinceMs: number; leftOut: number }>()

  constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** `kind` is one of a few words; it is remembered. */
  warning(kind: string, message: string, facts: LogFacts = {}): void {
    const nowMs = this.clock.elapsedMs()
    const told = this.#told.get(kind)
    if (told !== undefined && nowMs - told.sinceMs < PERIOD_MS) {
      told.leftOut += 1
      return
    }
    const more = told === undefined || told.leftOut === 0 ? '' : ` (and ${told.leftOut} more since the last such line)`
    this.#told.set(kind, { sinceMs: nowMs, leftOut: 0 })
    this.log.warning(`${message}${more}`, facts)
  }
}
