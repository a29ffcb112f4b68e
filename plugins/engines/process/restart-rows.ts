const MAX_ROWS = 16

/** Ends of an engine's processes in a row, by epoch: they outlive its seats, since a host that begins an engine anew may do so on another seat. */
export class RestartRows {
  private readonly rows = new Map<bigint, number>()

  /** Ends so far in the row of an epoch. */
  ends(epoch: bigint): number {
    return this.rows.get(epoch) ?? 0
  }

  /** One more. */
  ended(epoch: bigint): void {
    const ends = this.ends(epoch) + 1
    this.rows.delete(epoch)
    this.rows.set(epoch, ends)
    const [oldest] = this.rows.keys()
    if (this.rows.size > MAX_ROWS && oldest !== undefined) this.rows.delete(oldest)
  }

  /** The row is over: the engine lived long enough, or was halted, and whoever starts it again means it. */
  over(epoch: bigint): void {
    this.rows.delete(epoch)
  }
}
