import { PeerError } from '../../kernel/index.js'
import type { KeyRange, Namespace, Store, StoreBatch, StoreSnapshot } from '../../plugins/level/index.js'

type Rows = ReadonlyMap<string, Uint8Array>

interface Operation {
  readonly namespace: string
  readonly key: string
  readonly value: Uint8Array | undefined
}

const name = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const bytes = (text: string) => Buffer.from(text, 'latin1')

class FakeBatch implements StoreBatch {
  readonly operations: Operation[] = []
  byteLength = 0

  get size(): number {
    return this.operations.length
  }

  put(namespace: Namespace, key: Uint8Array, value: Uint8Array): void {
    this.operations.push({ namespace: namespace.name, key: name(key), value })
    this.byteLength += key.length + value.length
  }

  delete(namespace: Namespace, key: Uint8Array): void {
    this.operations.push({ namespace: namespace.name, key: name(key), value: undefined })
    this.byteLength += key.length
  }
}

class FakeSnapshot implements StoreSnapshot {
  isReleased = false

  constructor(readonly rows: ReadonlyMap<string, Rows>) {}

  async release(): Promise<void> {
    if (this.isReleased) throw new Error('released twice')
    this.isReleased = true
  }
}

/** The smallest store that keeps the contract, in memory. `failAfter` lets the given number of commits pass and refuses the rest. */
export class FakeStore implements Store {
  rows = new Map<string, Map<string, Uint8Array>>()
  commits = 0
  failAfter = Number.POSITIVE_INFINITY
  readonly snapshots: FakeSnapshot[] = []

  namespace(namespaceName: string): Namespace {
    const current = (at: StoreSnapshot | undefined): Rows => {
      const rows = at instanceof FakeSnapshot ? at.rows : this.rows
      return rows.get(namespaceName) ?? new Map<string, Uint8Array>()
    }
    return {
      name: namespaceName,
      get: (key, at) => current(at).get(name(key)),
      async *entries(range: KeyRange = {}, at?: StoreSnapshot) {
        const rows = current(at)
        const sorted = sortedKeys(rows)
        const from = range.gte ?? range.gt
        const keys: string[] = []
        for (let i = from ? firstAtLeast(sorted, name(from)) : 0; i < sorted.length; i += 1) {
          const key = sorted[i] ?? ''
          if (isAfter(key, range)) break
          if (!(range.gt && key === name(range.gt))) keys.push(key)
        }
        if (range.reverse) keys.reverse()
        const chosen = keys.slice(0, range.limit ?? keys.length).map((key) => [bytes(key), rows.get(key)] as const)
        for (const [key, value] of chosen) if (value) yield [key, value] as const
      },
    }
  }

  batch(): StoreBatch {
    return new FakeBatch()
  }

  async commit(batch: StoreBatch): Promise<void> {
    if (!(batch instanceof FakeBatch)) throw new Error('not a batch of this store')
    if (this.commits >= this.failAfter) throw new PeerError('ERR_STORE_WRITE', 'the disk is full')
    this.commits += 1
    for (const { namespace, key, value } of batch.operations) {
      const rows = this.rows.get(namespace) ?? new Map<string, Uint8Array>()
      this.rows.set(namespace, rows)
      if (rows.has(key) !== (value !== undefined)) sortedOf.delete(rows)
      if (value) rows.set(key, value)
      else rows.delete(key)
    }
  }

  snapshot(): StoreSnapshot {
    const snapshot = new FakeSnapshot(new Map(Array.from(this.rows, ([space, rows]) => [space, new Map(rows)])))
    this.snapshots.push(snapshot)
    return snapshot
  }

  async close(): Promise<void> {}

  /** Another store with the same rows: what a restart finds. */
  copy(): FakeStore {
    const copy = new FakeStore()
    copy.rows = new Map(Array.from(this.rows, ([space, rows]) => [space, new Map(rows)]))
    return copy
  }

  /** All rows of a namespace as hex, in key order. */
  hexRows(namespaceName: string): { keyHex: string; valueHex: string }[] {
    const rows = [...(this.rows.get(namespaceName) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    return rows.map(([key, value]) => ({ keyHex: bytes(key).toString('hex'), valueHex: Buffer.from(value).toString('hex') }))
  }
}

// Sorting once per change of the set of keys, not once per scan.
const sortedOf = new WeakMap<Rows, readonly string[]>()

function sortedKeys(rows: Rows): readonly string[] {
  const known = sortedOf.get(rows)
  if (known) return known
  const sorted = [...rows.keys()].sort()
  sortedOf.set(rows, sorted)
  return sorted
}

function firstAtLeast(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}

function isAfter(key: string, { lte, lt }: KeyRange): boolean {
  return (lte !== undefined && key > name(lte)) || (lt !== undefined && key >= name(lt))
}
