/** Snapshots that are sent at the same time: each holds a snapshot of the store open. */
const MAX_SNAPSHOTS = 4

/** Lets a few in at a time; the others wait in order. There is one per neighbour at most, so the queue is as long as there are links. */
export class SnapshotGate {
  private inside = 0
  private readonly queue: (() => void)[] = []

  /** Resolves with what is to be called when the work is over. */
  async enter(): Promise<() => void> {
    if (this.inside >= MAX_SNAPSHOTS) await new Promise<void>((resolve) => this.queue.push(resolve))
    else this.inside++
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const next = this.queue.shift()
      if (next === undefined) this.inside--
      else next()
    }
  }
}
