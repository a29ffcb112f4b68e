/** One named part of the store. Keys and values are bytes; order is unsigned bytewise. */
export interface Namespace {
  readonly name: string
  /** Reads one value, synchronously; `undefined` if absent. From the last committed batch (or `at` a snapshot). */
  get(key: Uint8Array, at?: StoreSnapshot): Uint8Array | undefined
  /** Entries in key order; bounds as given, both optional. Closes its iterator when the loop ends early. */
  entries(range?: KeyRange, at?: StoreSnapshot): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
}

export interface KeyRange {
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

/** A point-in-time view of all namespaces. Must be released. */
export interface StoreSnapshot {
  release(): Promise<void>
}

/** Changes that become visible and durable together, or not at all. Bytes are taken as they are: do not change them afterwards. */
export interface StoreBatch {
  put(namespace: Namespace, key: Uint8Array, value: Uint8Array): void
  delete(namespace: Namespace, key: Uint8Array): void
  /** Number of operations. */
  readonly size: number
  readonly byteLength: number
}

/**
 * What a write is for; decides with `store.sync` whether it is synced before `commit` resolves:
 * `block`: the ledger (synced under `all` and `blocks`); `record`: votes, journals (synced under `all` only).
 */
export type WriteKind = 'block' | 'record'

/** The peer's one store: atomic, ordered, synced batches over namespaces (design: one atomic write per block). */
export interface Store {
  /** A namespace; the same name always is the same data. Names match `[a-z][a-z0-9-]*`. */
  namespace(name: string): Namespace
  batch(): StoreBatch
  /**
   * Commits a batch. Batches become durable in the order of the calls; those that wait together are written together (group commit).
   * Rejects with ERR_STORE_WRITE (disk full, I/O error): then nothing of this batch, nor of any later one, has been applied.
   */
  commit(batch: StoreBatch, kind: WriteKind): Promise<void>
  snapshot(): StoreSnapshot
  /** Waits for writes in flight, then closes. */
  close(): Promise<void>
}
