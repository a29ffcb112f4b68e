import type { Clock } from '../../../kernel/index.js'

/** Room for answers that are there and have not been read, because this process itself was held up. */
const GRACE_MS = 100

/** Barks when something that is expected does not come. One timer at a time, however often it is told. */
export class Watchdog {
  private deadlineMs: number | undefined
  private cancel: (() => void) | undefined

  constructor(
    private readonly clock: Clock,
    private readonly bark: () => void,
  ) {}

  /** Something has to happen within that time, from now. */
  expect(withinMs: number): void {
    this.deadlineMs = this.clock.elapsedMs() + withinMs
    this.cancel ??= this.clock.setTimer(withinMs, () => this.check(false))
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
    if (leftMs > 0) this.cancel = this.clock.setTimer(leftMs, () => this.check(false))
    else if (isLast) this.bark()
    else this.cancel = this.clock.setTimer(GRACE_MS, () => this.check(true))
  }
}
