/** Room that is kept when it is empty, in items. */
const MOST_KEPT = 1024

/** A first-in first-out queue; both ends cost the same however long it is. Its room is kept from one item to the next: most of the time it holds one or none. */
export class Fifo<T> {
  private items: (T | undefined)[] = []
  private start = 0
  private end = 0

  get length(): number {
    return this.end - this.start
  }

  /** The oldest item. */
  get first(): T | undefined {
    return this.items[this.start]
  }

  /** The item that was added `back` items before the newest (0: the newest). */
  last(back = 0): T | undefined {
    return back < this.length ? this.items[this.end - 1 - back] : undefined
  }

  push(item: T): void {
    this.items[this.end++] = item
  }

  /** Takes the oldest item out. */
  shift(): T | undefined {
    const item = this.items[this.start]
    if (item === undefined) return undefined
    this.items[this.start++] = undefined
    // Compact only when half is waste: every item is moved once at most on average.
    if (this.start === this.end) this.rewind()
    else if (this.start > MOST_KEPT && this.start * 2 > this.end) {
      this.items = this.items.slice(this.start, this.end)
      this.end -= this.start
      this.start = 0
    }
    return item
  }

  /** Takes the newest item back. */
  pop(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.items[--this.end]
    this.items[this.end] = undefined
    return item
  }

  clear(): void {
    this.items = []
    this.start = this.end = 0
  }

  /** All places are free. */
  private rewind(): void {
    if (this.end > MOST_KEPT) this.items = []
    this.start = this.end = 0
  }
}
