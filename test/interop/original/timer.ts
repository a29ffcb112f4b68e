import type { Surroundings } from './surroundings.js'

/** One countdown and at most one pending event (spec/consensus.md §10.1): what had fired and was not delivered is discarded by a reset or a stop. */
export class Timer<Event> {
  private cancel: (() => void) | undefined
  private generation = 0

  constructor(
    private readonly world: Surroundings,
    /** Puts the event into the loop's queue; `isCurrent` is asked when it is taken out. */
    private readonly fire: (event: Event, isCurrent: () => boolean) => void,
  ) {}

  reset(delayMs: number, event: Event): void {
    this.stop()
    const { generation } = this
    this.cancel = this.world.after(delayMs, () => {
      this.cancel = undefined
      this.fire(event, () => generation === this.generation)
    })
  }

  softReset(delayMs: number, event: Event): void {
    if (this.cancel === undefined) this.reset(delayMs, event)
  }

  stop(): void {
    this.cancel?.()
    this.cancel = undefined
    this.generation++
  }
}
