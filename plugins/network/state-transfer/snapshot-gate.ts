import type { Clock } from '../../../kernel/index.js'

/** Snapshots that are sent at the same time: each holds a snapshot of the store open. Some are for validators alone. */
const MAX_SNAPSHOTS = 4
const MAX_FOR_OTHERS = 2
/** Who takes less than this while somebody waits that could be served instead gives way. */
const PACE_MS = 10_000
const PACE_BYTES = 1024 * 1024

/** The right to send one neighbour a snapshot. */
export interface SnapshotPass {
  /** The neighbour is too slow, and somebody waits for it. */
  readonly mustGiveWay: boolean
  /** So much more has been put into its queue. */
  took(bytes: number): void
  leave(): void
}

/** Lets a few in at a time, validators first; the others wait in order. There is one per neighbour at most, so the queues are as long as there are links. */
export class SnapshotGate {
  private inside = 0
  private othersInside = 0
  private readonly validators: (() => void)[] = []
  private readonly others: (() => void)[] = []

  constructor(private readonly clock: Pick<Clock, 'elapsedMs'>) {}

  /** Resolves when it is the neighbour's turn. */
  async enter(isValidator: boolean): Promise<SnapshotPass> {
    await new Promise<void>((resolve) => {
      ;(isValidator ? this.validators : this.others).push(resolve)
      this.admit()
    })
    return this.pass(isValidator)
  }

  private admit(): void {
    while (this.inside < MAX_SNAPSHOTS) {
      const validator = this.validators.shift()
      const other = validator === undefined && this.othersInside < MAX_FOR_OTHERS ? this.others.shift() : undefined
      if (other !== undefined) this.othersInside++
      const next = validator ?? other
      if (next === undefined) return
      this.inside++
      next()
    }
  }

  private pass(isValidator: boolean): SnapshotPass {
    const { clock } = this
    let [sinceMs, bytes, isOver] = [clock.elapsedMs(), 0, false]
    const isInTheWay = (): boolean => this.validators.length > 0 || (this.others.length > 0 && (!isValidator || this.othersInside < MAX_FOR_OTHERS))
    return {
      get mustGiveWay() {
        return clock.elapsedMs() - sinceMs > PACE_MS && isInTheWay()
      },
      took(more) {
        bytes += more
        if (bytes >= PACE_BYTES) [sinceMs, bytes] = [clock.elapsedMs(), 0]
      },
      leave: () => {
        if (isOver) return
        isOver = true
        this.inside--
        if (!isValidator) this.othersInside--
        this.admit()
      },
    }
  }
}
