import type { Clock } from '../../../../kernel/index.js'

/** Runs `send` whenever nothing was received or sent for a while. Activity costs one reading of the clock, not a timer. */
export class Keepalive {
  private lastMs = 0
  private cancel: (() => void) | undefined

  constructor(
    private readonly clock: Clock,
    /** 0 or less: off. */
    private readonly idleMs: number,
    private readonly send: () => void,
  ) {
    if (idleMs <= 0) return
    this.touch()
    this.arm(idleMs)
  }

  touch(): void {
    if (this.idleMs > 0) this.lastMs = this.clock.elapsedMs()
  }

  stop(): void {
    this.cancel?.()
    this.cancel = undefined
  }

  private arm(delayMs: number): void {
    this.cancel = this.clock.setTimer(delayMs, () => {
      const leftMs = this.lastMs + this.idleMs - this.clock.elapsedMs()
      if (leftMs > 0) return this.arm(leftMs)
      this.touch()
      this.arm(this.idleMs)
      this.send()
    })
  }
}
