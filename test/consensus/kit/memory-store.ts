import { PeerError } from '../../../kernel/index.js'
import type { KeyRange, Namespace, Store, StoreBatch, StoreSnapshot, WriteKind } from '../../../plugins/level/index.js'

interface Operation {
  readonly namespace: string
  readonly key: string
  readonly value: Uint8Array | undefined
}

class MemoryBatch implements StoreBatch {
  readonly operations: Operation[] = []
  byteLength = 0

  get size(): number {
    return this.operations.length
  }

  put(namespace: Namespace, key: Uint8Array, value: Uint8Array): void {
    this.operations.push({ namespace: namespace.name, key: text(key), value })
    this.byteLength += key.length + value.length
  }

  delete(namespace: Namespace, key: Uint8Array): void {
    this.operations.push({ namespace: namespace.name, key: text(key), value: undefined })
  }
}

/** When a write becomes durable: `done` must be called in the order of the calls. */
export type Disk = (write: { readonly number: number; readonly kind: WriteKind; readonly size: number }, done: () => void) => void

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
const bytes = (key: string): Uint8Array => new Uint8Array(Buffer.from(key, 'latin1'))

/** A store in memory whose writes become durable when its disk says so; `crash` gives what a restart finds. */
export class MemoryStore implements Store {
  readonly rows = new Map<string, Map<string, Uint8Array>>()
  /** Batches that are durable, in order: for assertions about what was written together. */
  readonly written: { readonly kind: WriteKind; readonly operations: readonly Operation[] }[] = []
  /** Writes from this number on fail, as on a full disk. */
  failFrom = Number.POSITIVE_INFINITY
  keepsHistory = true
  private writes = 0
  private isDead = false

  constructor(private readonly disk: Disk = (_, done) => queueMicrotask(done)) {}

  namespace(name: string): Namespace {
    const rows = this.rows.get(name) ?? new Map<string, Uint8Array>()
    this.rows.set(name, rows)
    return {
      name,
      get: (key) => rows.get(text(key)),
      async *entries(range: KeyRange = {}) {
        for (const key of [...rows.keys()].filter((candidate) => isInRange(candidate, range)).sort()) {
          const value = rows.get(key)
          if (value) yield [bytes(key), value] as const
        }
      },
    }
  }

  batch(): StoreBatch {
    return new MemoryBatch()
  }

  commit(batch: StoreBatch, kind: WriteKind): Promise<void> {
    if (!(batch instanceof MemoryBatch)) throw new Error('not a batch of this store')
    const number = this.writes++
    return new Promise((resolve, reject) => {
      this.disk({ number, kind, size: batch.size }, () => {
        if (this.isDead) return
        if (number >= this.failFrom) return reject(new PeerError('ERR_STORE_WRITE', 'the disk is full'))
        if (this.keepsHistory) this.written.push({ kind, operations: batch.operations })
        for (const { namespace, key, value } of batch.operations) {
          const rows = this.rows.get(namespace) ?? new Map<string, Uint8Array>()
          this.rows.set(namespace, rows)
          if (value) rows.set(key, value)
          else rows.delete(key)
        }
        resolve()
      })
    })
  }

  /** The power goes: nothing more becomes durable. Returns what a restart finds. */
  crash(disk?: Disk): MemoryStore {
    this.isDead = true
    const found = new MemoryStore(disk)
    for (const [name, rows] of this.rows) found.rows.set(name, new Map(rows))
    return found
  }

  /** Keys of a namespace, in order, as hex. */
  keys(name: string): string[] {
    return [...(this.rows.get(name)?.keys() ?? [])].sort().map((key) => Buffer.from(key, 'latin1').toString('hex'))
  }

  snapshot(): StoreSnapshot {
    return { release: async () => undefined }
  }

  async close(): Promise<void> {
    this.isDead = true
  }
}

function isInRange(key: string, { gte, gt, lte, lt }: KeyRange): boolean {
  return !((gte && key < text(gte)) || (gt && key <= text(gt)) || (lte && key > text(lte)) || (lt && key >= text(lt)))
}
