import type { Clock } from '../../../kernel/index.js'

/** Settles as `work` does, or rejects with `expired()` after `limitMs`; what `work` does later has no effect on the outcome. */
export function withinLimit<T>(clock: Clock, limitMs: number, work: Promise<T>, expired: () => Error): Promise<T> {
  return new TimeLimit(clock, limitMs).hold(work, expired)
}

interface Held {
  readonly deadlineMs: number
  expire(): void
}

/**
 * One limit for many pieces of work, with one timer for all: nearly everything ends long before its time, so that setting and cancelling a timer
 * for each would be the larger part of the work.
 */
export class TimeLimit {
  /** In the order of their deadlines, since the limit is the same for all. */
  private readonly held = new Set<Held>()
  private isArmed = false

  constructor(
    private readonly clock: Clock,
    private readonly limitMs: number,
  ) {}

  /** Settles as `work` does, or rejects with `expired()` when the limit is over; what `work` does later has no effect on the outcome. */
  hold<T>(work: Promise<T>, expired: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const held: Held = { deadlineMs: this.clock.elapsedMs() + this.limitMs, expire: () => reject(expired()) }
      this.held.add(held)
      if (!this.isArmed) this.arm(this.limitMs)
      work.then(
        (value) => {
          this.held.delete(held)
          resolve(value)
        },
        (cause: unknown) => {
          this.held.delete(held)
          reject(cause)
        },
      )
    })
  }

  /** The timer stays when the work that it was set for is over: it then serves what came after. */
  private arm(delayMs: number): void {
    this.isArmed = true
    this.clock.setTimer(delayMs, () => this.fire())
  }

  private fire(): void {
    this.isArmed = false
    for (const held of this.held) {
      // Timers may fire a fraction of a millisecond early.
      const leftMs = held.deadlineMs - this.clock.elapsedMs()
      if (leftMs >= 1) return this.arm(leftMs)
      this.held.delete(held)
      held.expire()
    }
  }
}
