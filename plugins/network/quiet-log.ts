import type { Clock, LogFacts, Logger, LogLevel } from '../../kernel/index.js'

const PERIOD_MS = 5000
const MAX_KINDS = 256

/** Logs each kind of event once in a while, with how many there were: what others send must not fill the log. */
export class QuietLog {
  private readonly kinds = new Map<string, { atMs: number; since: number }>()

  constructor(
    private readonly log: Logger,
    private readonly clock: Pick<Clock, 'elapsedMs'>,
  ) {}

  /** `kind` groups what counts as the same event; it must come from a bounded set, or is grouped with others. */
  say(level: LogLevel, kind: string, message: string, facts: LogFacts = {}): void {
    const name = this.kinds.has(kind) || this.kinds.size < MAX_KINDS ? kind : ''
    const now = this.clock.elapsedMs()
    const last = this.kinds.get(name) ?? { atMs: Number.NEGATIVE_INFINITY, since: 0 }
    this.kinds.set(name, last)
    last.since++
    if (now - last.atMs < PERIOD_MS) return
    this.log[level](message, last.since === 1 ? facts : { ...facts, times: last.since })
    last.atMs = now
    last.since = 0
  }
}
