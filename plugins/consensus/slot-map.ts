/**
 * A Map, in the order of insertion, for things that come and go by the thousand.
 *
 * A Map that has lived for a while is old to the collector of garbage, and so is every table that it makes when the last one is full of deleted entries. The dead
 * tables still hold what was in the map then, and what is old is not looked at for long: so nearly everything that was ever in it, with all that hangs on it, is
 * copied and made old in its turn, until everything is marked. Here the tables hold keys and numbers alone; the values are in slots that are used again.
 */
export class SlotMap<K extends string | number, V extends object> {
  private readonly slotOf = new Map<K, number>()
  private readonly slots: (V | undefined)[] = []
  private readonly free: number[] = []

  get size(): number {
    return this.slotOf.size
  }

  has(key: K): boolean {
    return this.slotOf.has(key)
  }

  get(key: K): V | undefined {
    const slot = this.slotOf.get(key)
    return slot === undefined ? undefined : this.slots[slot]
  }

  set(key: K, value: V): void {
    const known = this.slotOf.get(key)
    const slot = known ?? this.free.pop() ?? this.slots.length
    if (known === undefined) this.slotOf.set(key, slot)
    this.slots[slot] = value
  }

  delete(key: K): boolean {
    const slot = this.slotOf.get(key)
    if (slot === undefined) return false
    this.slotOf.delete(key)
    this.slots[slot] = undefined
    this.free.push(slot)
    return true
  }

  clear(): void {
    this.slotOf.clear()
    this.slots.length = 0
    this.free.length = 0
  }

  keys(): IterableIterator<K> {
    return this.slotOf.keys()
  }

  /** As a Map's: entries may be deleted and added meanwhile. */
  *values(): IterableIterator<V> {
    for (const slot of this.slotOf.values()) {
      const value = this.slots[slot]
      if (value !== undefined) yield value
    }
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (const [key, slot] of this.slotOf) {
      const value = this.slots[slot]
      if (value !== undefined) yield [key, value]
    }
  }
}
