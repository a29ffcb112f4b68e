/** Something cached and its size. */
interface Entry<V> {
  value: V
  bytes: number
}

/**
 * A cache bounded by the bytes of its values, which forgets what has not been used lately. It only saves reads: nothing may depend on what it holds.
 * Two generations instead of one ordered list: what is used moves to the young one, and when that has filled half the bound the old one is dropped;
 * so a hit on a young value changes nothing.
 */
export class ByteCache<V> {
  private young = new Map<number, Entry<V>>()
  private old = new Map<number, Entry<V>>()
  private youngBytes = 0
  private oldBytes = 0

  /** @param maxBytes 0 or less keeps nothing */
  constructor(readonly maxBytes: number) {}

  /** Bytes held, as given to `set`. */
  get byteLength(): number {
    return this.youngBytes + this.oldBytes
  }

  get(id: number): V | undefined {
    const hit = this.young.get(id)
    if (hit) return hit.value
    const aged = this.old.get(id)
    if (!aged) return undefined
    this.set(id, aged.value, aged.bytes)
    return aged.value
  }

  /** A value larger than half the cache is not kept, and what was there before is forgotten. */
  set(id: number, value: V, bytes: number): void {
    const present = this.young.get(id)
    if (present && (this.youngBytes - present.bytes + bytes) * 2 <= this.maxBytes) {
      this.youngBytes += bytes - present.bytes
      present.value = value
      present.bytes = bytes
      return
    }
    this.delete(id)
    if (bytes * 2 > this.maxBytes) return
    if ((this.youngBytes + bytes) * 2 > this.maxBytes) {
      this.old = this.young
      this.oldBytes = this.youngBytes
      this.young = new Map()
      this.youngBytes = 0
    }
    this.young.set(id, { value, bytes })
    this.youngBytes += bytes
  }

  delete(id: number): void {
    const young = this.young.get(id)
    if (young) {
      this.young.delete(id)
      this.youngBytes -= young.bytes
    }
    const old = this.old.get(id)
    if (!old) return
    this.old.delete(id)
    this.oldBytes -= old.bytes
  }
}
