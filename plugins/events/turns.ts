/** Something that is done in many small steps. */
export interface Worker {
  /** Does a little. True: there is more to do at once. */
  step(): boolean
}

/** Longest time in one turn of the event loop, so that commits and calls are not held up by consumers that catch up. */
const TURN_MS = 4

/** Workers that take turns, a step each, beside everything else that the peer does. */
export class Turns {
  private readonly queue = new Set<Worker>()
  private isScheduled = false

  constructor(private readonly elapsedMs: () => number) {}

  /** Has a worker step until it has nothing more to do. */
  add(worker: Worker): void {
    this.queue.add(worker)
    if (this.isScheduled) return
    this.isScheduled = true
    setImmediate(() => this.run())
  }

  delete(worker: Worker): void {
    this.queue.delete(worker)
  }

  private run(): void {
    this.isScheduled = false
    const end = this.elapsedMs() + TURN_MS
    for (const worker of this.queue) {
      this.queue.delete(worker)
      // A set goes on with what is added to its end.
      if (worker.step()) this.queue.add(worker)
      if (this.elapsedMs() >= end) break
    }
    const [next] = this.queue
    if (next !== undefined) this.add(next)
  }
}
