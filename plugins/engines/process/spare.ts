import type { ContainedProcess } from '../../sandbox/index.js'

/** One process of an engine that runs, and waits to be told what to make: the next start of the engine need not wait for it. */
export class SpareProcess {
  private waiting: Promise<ContainedProcess> | undefined

  constructor(private readonly launch: () => Promise<ContainedProcess>) {}

  /** Starts one, if there is none. */
  prepare(): void {
    if (this.waiting) return
    const waiting = this.launch()
    this.waiting = waiting
    const forget = (): void => {
      if (this.waiting === waiting) this.waiting = undefined
    }
    // Whoever wants one starts another, and is told what is wrong with that.
    waiting.then(({ ended }) => ended.then(forget), forget)
  }

  /** The one that waits, else a new one. Rejects as `launch` does. */
  async take(): Promise<ContainedProcess> {
    const { waiting } = this
    this.waiting = undefined
    if (!waiting) return this.launch()
    return waiting.catch(async () => this.launch())
  }

  /** Ends the one that waits. */
  discard(): void {
    const { waiting } = this
    this.waiting = undefined
    waiting?.then(
      (contained) => contained.kill('it is not needed'),
      () => undefined, // There is none to end.
    )
  }
}
