import type { Clock } from '../../../kernel/index.js'

/** Node's timers fire at once for longer delays. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

interface Timer {
  readonly generation: number
  /** Undefined for a timer without delay, which only its generation can cancel. */
  readonly cancel: (() => void) | undefined
}

/**
 * The named timers of an engine. A timer that was reset or cancelled never fires, not even if it had run out and its event was waiting:
 * `claim` decides when the event is about to be handled (spec/consensus.md §10.1).
 */
export class EngineTimers {
  private readonly timers = new Map<string, Timer>()
  private generation = 0

  /** `defer` runs a task after the present turn; `fire` is told when a timer has run out. */
  constructor(
    private readonly clock: Clock,
    private readonly defer: (task: () => void) => void,
    private readonly fire: (name: string, generation: number) => void,
  ) {}

  /** (Re)starts a timer. Without delay it fires after what the present turn brought has been handled. */
  set(name: string, delayMs: number): void {
    this.timers.get(name)?.cancel?.()
    const generation = ++this.generation
    const ranOut = (): void => this.fire(name, generation)
    if (delayMs === 0) {
      this.timers.set(name, { generation, cancel: undefined })
      this.defer(ranOut)
    } else this.timers.set(name, { generation, cancel: this.clock.setTimer(Math.min(delayMs, LONGEST_DELAY_MS), ranOut) })
  }

  cancel(name: string): void {
    this.timers.get(name)?.cancel?.()
    this.timers.delete(name)
  }

  /** Whether this event is still wanted; if so the timer is over. */
  claim(name: string, generation: number): boolean {
    if (this.timers.get(name)?.generation !== generation) return false
    this.timers.delete(name)
    return true
  }

  cancelAll(): void {
    for (const timer of this.timers.values()) timer.cancel?.()
    this.timers.clear()
  }
}
