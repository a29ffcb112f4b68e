/** Smaller ones are not counted: what each consumer may have of them in flight is bounded by its outbox. */
const LARGE_BYTES = 64 * 1024

/**
 * Bounds what large events take while they are on their way: gRPC copies an event for each stream, so a thousand consumers that do not read would hold a
 * thousand copies. Beyond the bound they wait for each other, in the order in which they came.
 */
export class LargeWrites {
  private usedBytes = 0
  private waiting = new Set<() => void>()

  constructor(private readonly maxBytes: number) {}

  /** Whether a write may begin now; if not, `again` is called when there may be room. One is always allowed, however large. */
  begin(bytes: number, again: () => void): boolean {
    if (bytes <= LARGE_BYTES) return true
    if (this.usedBytes > 0 && this.usedBytes + bytes > this.maxBytes) {
      this.waiting.add(again)
      return false
    }
    this.usedBytes += bytes
    return true
  }

  end(bytes: number): void {
    if (bytes <= LARGE_BYTES) return
    this.usedBytes -= bytes
    // Who finds no room waits again, at the end.
    const { waiting } = this
    this.waiting = new Set()
    for (const again of waiting) again()
  }

  forget(again: () => void): void {
    this.waiting.delete(again)
  }
}
