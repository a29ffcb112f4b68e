import { PeerError } from '../../kernel/index.js'
import type { Backend } from './backend.js'
import { LevelBatch } from './batch.js'
import type { StoreCounters } from './counters.js'
import { closeError, closed, readError } from './errors.js'
import { OWN_NUMBER, checkFormat } from './format.js'
import { NAME_ROW_PREFIX, NameTable } from './names.js'
import { LevelNamespace } from './namespace.js'
import { LevelSnapshot } from './snapshot.js'
import type { Namespace, Store, StoreBatch, StoreSnapshot, WriteKind } from './store.js'
import { GroupWriter } from './writer.js'

/** Which writes wait for the disk: all of them, the ledger's blocks alone, or none. */
export const SYNC_POLICIES = ['all', 'blocks', 'off'] as const
export type SyncPolicy = (typeof SYNC_POLICIES)[number]

export interface StoreOptions {
  /** Default `all`. */
  readonly sync?: SyncPolicy
  /** Name and version of the program, for the format record; default `weft`. */
  readonly writtenBy?: string
  /** Done before the database is closed in order. */
  readonly beforeClose?: () => Promise<void>
  /** Where the store counts what it does. */
  readonly counters?: StoreCounters
  /** Told once, with ERR_STORE_WRITE, when a write has failed and the store takes nothing more. */
  readonly onFailed?: (reason: Error) => void
}

/**
 * The peer's store on an ordered key-value database; opens it if it is not open yet.
 * Throws ERR_STORE_FORMAT (another format), ERR_STORE_CORRUPT, and what opening `db` throws. The store owns `db` from then on.
 */
export async function createStore(db: Backend, options: StoreOptions = {}): Promise<Store> {
  await db.open()
  try {
    await checkFormat(db, options.writtenBy ?? 'weft')
    return new LevelStore(db, await NameTable.load(db), options)
  } catch (cause) {
    await db.close()
    throw readError(cause)
  }
}

class LevelStore implements Store {
  readonly #db: Backend
  readonly #names: NameTable
  readonly #namespaces = new Map<string, LevelNamespace>()
  readonly #writer: GroupWriter
  readonly #sync: Readonly<Record<WriteKind, boolean>>
  readonly #own: LevelNamespace
  /** Namespaces whose names are not stored yet. */
  #unnamed: LevelBatch | undefined
  readonly #beforeClose: () => Promise<void>
  #closing: Promise<void> | undefined

  constructor(db: Backend, names: NameTable, options: StoreOptions) {
    const policy = options.sync ?? 'all'
    this.#db = db
    this.#names = names
    this.#beforeClose = options.beforeClose ?? (() => Promise.resolve())
    this.#sync = { block: policy !== 'off', record: policy === 'all' }
    this.#own = new LevelNamespace('', OWN_NUMBER, db, this)
    this.#writer = new GroupWriter(db, (batches) => this.#nameNamespaces(batches), options.onFailed ?? (() => undefined), options.counters)
  }

  namespace(name: string): Namespace {
    const known = this.#namespaces.get(name)
    if (known !== undefined) return known
    const { number, isNew } = this.#names.number(name)
    if (isNew) {
      // Stored with the next write, so before or together with the first row of the namespace.
      this.#unnamed ??= new LevelBatch(this)
      this.#unnamed.put(this.#own, Buffer.from(NAME_ROW_PREFIX + name), Buffer.from(String(number)))
    }
    const namespace = new LevelNamespace(name, number, this.#db, this)
    this.#namespaces.set(name, namespace)
    return namespace
  }

  batch(): StoreBatch {
    return new LevelBatch(this)
  }

  commit(batch: StoreBatch, kind: WriteKind): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closed('commit'))
    if (!(batch instanceof LevelBatch) || batch.owner !== this) {
      return Promise.reject(
        new PeerError('ERR_STORE_BATCH', 'expected a batch of this store, found one of another', { hint: 'make it with batch() of the store that commits it' }),
      )
    }
    try {
      batch.seal()
    } catch (reason) {
      return Promise.reject(reason)
    }
    return this.#writer.add(batch, this.#sync[kind])
  }

  snapshot(): StoreSnapshot {
    try {
      return new LevelSnapshot(this.#db.snapshot(), this)
    } catch (cause) {
      throw readError(cause)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writer.idle()
    try {
      if (this.#writer.failure === undefined) await this.#beforeClose()
      await this.#db.close()
    } catch (cause) {
      throw closeError(cause)
    }
  }

  #nameNamespaces(batches: LevelBatch[]): void {
    if (this.#unnamed === undefined) return
    batches.unshift(this.#unnamed)
    this.#unnamed = undefined
  }
}
