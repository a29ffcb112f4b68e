/** A first-in first-out queue; both ends cost the same however long it is. */
export class Fifo<T> {
  private items: T[] = []
  private start = 0

  get length(): number {
    return this.items.length - this.start
  }

  /** The oldest item. */
  get first(): T | undefined {
    return this.items[this.start]
  }

  /** The item that was added `back` items before the newest (0: the newest). */
  last(back = 0): T | undefined {
    return back < this.length ? this.items[this.items.length - 1 - back] : undefined
  }

  push(item: T): void {
    this.items.push(item)
  }

  /** Takes the oldest item out. */
  shift(): T | undefined {
    const item = this.items[this.start]
    if (item === undefined) return undefined
    this.start++
    // Compact only when half is waste: every item is moved once at most on average.
    if (this.start === this.items.length) this.clear()
    else if (this.start > 1024 && this.start * 2 > this.items.length) {
      this.items = this.items.slice(this.start)
      this.start = 0
    }
    return item
  }

  /** Takes the newest item back. */
  pop(): T | undefined {
    return this.length === 0 ? undefined : this.items.pop()
  }

  clear(): void {
    this.items = []
    this.start = 0
  }
}
