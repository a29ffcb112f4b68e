/** A least-recently-used cache bounded by the bytes of its values. It only saves reads: nothing may depend on what it holds. */
export class ByteCache<V> {
  private readonly entries = new Map<number, { readonly value: V; readonly bytes: number }>()
  private usedBytes = 0

  /** @param maxBytes 0 or less keeps nothing */
  constructor(readonly maxBytes: number) {}

  /** Bytes that the values take, as given to `set`. */
  get byteLength(): number {
    return this.usedBytes
  }

  get(id: number): V | undefined {
    const entry = this.entries.get(id)
    if (!entry) return undefined
    this.entries.delete(id)
    this.entries.set(id, entry)
    return entry.value
  }

  /** A value larger than the whole cache is not kept, and what was there before is forgotten. */
  set(id: number, value: V, bytes: number): void {
    this.delete(id)
    if (bytes > this.maxBytes) return
    this.entries.set(id, { value, bytes })
    this.usedBytes += bytes
    for (const oldest of this.entries.keys()) {
      if (this.usedBytes <= this.maxBytes) break
      this.delete(oldest)
    }
  }

  delete(id: number): void {
    const entry = this.entries.get(id)
    if (!entry) return
    this.entries.delete(id)
    this.usedBytes -= entry.bytes
  }
}
