import type { VirtualTime } from './virtual-clock.js'

interface ModelTimer {
  readonly generation: number
  readonly cancel: (() => void) | undefined
}

/** Node's timers fire at once for longer delays. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The named timers of an engine in the model of a host: one that was reset or cancelled never fires, not even if its event waits already. */
export class ModelTimers {
  readonly #timers = new Map<string, ModelTimer>()
  #generation = 0

  /** `defer` runs a task after what the present moment brought. */
  constructor(
    private readonly time: VirtualTime,
    private readonly defer: (task: () => void) => void,
    private readonly fire: (name: string, generation: number) => void,
  ) {}

  set(name: string, delayMs: number): void {
    this.#timers.get(name)?.cancel?.()
    const generation = (this.#generation += 1)
    const ranOut = (): void => this.fire(name, generation)
    const cancel = delayMs === 0 ? undefined : this.time.schedule(Math.min(delayMs, LONGEST_DELAY_MS), ranOut)
    this.#timers.set(name, { generation, cancel })
    if (delayMs === 0) this.defer(ranOut)
  }

  cancel(name: string): void {
    const timer = this.#timers.get(name)
    if (timer === undefined) return
    timer.cancel?.()
    this.#timers.delete(name)
  }

  /** Whether this event is still wanted; if so the timer is over. */
  claim(name: string, generation: number): boolean {
    return this.#timers.get(name)?.generation === generation && this.#timers.delete(name)
  }

  cancelAll(): void {
    for (const { cancel } of this.#timers.values()) cancel?.()
    this.#timers.clear()
  }
}
