import type { Clock } from '../../../kernel/index.js'

/** Room for answers that are there and have not been read, because this process itself was held up. */
const GRACE_MS = 100

/** Barks when something that is expected does not come. One timer at a time, however often it is told. */
export class Watchdog {
  private deadlineMs: number | undefined
  /** When the timer fires. */
  private firesMs = 0
  private cancel: (() => void) | undefined

  constructor(
    private readonly clock: Clock,
    private readonly bark: () => void,
  ) {}

  /** Something has to happen within that time, from now. */
  expect(withinMs: number): void {
    this.deadlineMs = this.clock.elapsedMs() + withinMs
    // A later one looks again; one that was set for something slower would be too late.
    if (this.cancel && this.firesMs <= this.deadlineMs) return
    this.cancel?.()
    this.set(withinMs, false)
  }

  stop(): void {
    this.deadlineMs = undefined
    this.cancel?.()
    this.cancel = undefined
  }

  private check(isLast: boolean): void {
    this.cancel = undefined
    const { deadlineMs } = this
    if (deadlineMs === undefined) return
    const leftMs = deadlineMs - this.clock.elapsedMs()
    if (leftMs > 0) this.set(leftMs, false)
    else if (isLast) this.bark()
    else this.set(GRACE_MS, true)
  }

  private set(afterMs: number, isLast: boolean): void {
    this.firesMs = this.clock.elapsedMs() + afterMs
    this.cancel = this.clock.setTimer(afterMs, () => this.check(isLast))
  }
}
