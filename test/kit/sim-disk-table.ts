/** A sorted table of bytes with cheap frozen views: the first change after a view was taken copies the arrays. */
export class SortedTable {
  #keys: Uint8Array[] = []
  #values: Uint8Array[] = []
  #viewed = false

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#view().get(key)
  }

  /** Sets a key, or removes it if `value` is undefined; returns what it had before. */
  set(key: Uint8Array, value: Uint8Array | undefined): Uint8Array | undefined {
    const { at, found } = locate(this.#keys, key)
    const before = found ? this.#values[at] : undefined
    if (value === undefined && !found) return undefined
    this.#unshare()
    if (value === undefined) {
      this.#keys.splice(at, 1)
      this.#values.splice(at, 1)
    } else if (found) {
      this.#values[at] = value
    } else {
      this.#keys.splice(at, 0, key)
      this.#values.splice(at, 0, value)
    }
    return before
  }

  /** The table as it is now, for ever. */
  view(): TableView {
    this.#viewed = true
    return this.#view()
  }

  #view(): TableView {
    return new TableView(this.#keys, this.#values)
  }

  #unshare(): void {
    if (!this.#viewed) return
    this.#keys = this.#keys.slice()
    this.#values = this.#values.slice()
    this.#viewed = false
  }
}

/** Rows of a table at one moment, by position. */
export class TableView {
  constructor(
    private readonly keys: readonly Uint8Array[],
    private readonly values: readonly Uint8Array[],
  ) {}

  get size(): number {
    return this.keys.length
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const { at, found } = locate(this.keys, key)
    return found ? this.values[at] : undefined
  }

  /** The row at a position, copied; `undefined` outside of the table. */
  row(at: number): [key: Uint8Array, value: Uint8Array] | undefined {
    const key = this.keys[at]
    const value = this.values[at]
    return key === undefined || value === undefined ? undefined : [new Uint8Array(key), new Uint8Array(value)]
  }

  /** Number of keys before `key`; with `inclusive` also counts `key` itself. */
  rank(key: Uint8Array, inclusive: boolean): number {
    const { at, found } = locate(this.keys, key)
    return inclusive && found ? at + 1 : at
  }
}

/** Where a key is, or would be. */
function locate(keys: readonly Uint8Array[], key: Uint8Array): { at: number; found: boolean } {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = keys[middle]
    if (other !== undefined && Buffer.compare(other, key) < 0) low = middle + 1
    else high = middle
  }
  const there = keys[low]
  return { at: low, found: there !== undefined && Buffer.compare(there, key) === 0 }
}
