import type { AbstractSnapshot } from 'abstract-level'
import { PeerError } from '../../kernel/index.js'
import type { StoreSnapshot } from './store.js'

/** A snapshot of LevelDB behind the store's contract. */
export class LevelSnapshot implements StoreSnapshot {
  /**
   * Options of a read of one value. They name the database's own encodings and are one object for all reads: abstract-level takes them as they are,
   * instead of copying them for every read (measured: a third of the cost).
   */
  readonly readOptions

  constructor(
    readonly inner: AbstractSnapshot,
    /** The store it was taken of. */
    readonly owner: object,
  ) {
    this.readOptions = Object.freeze({ snapshot: inner, keyEncoding: 'view', valueEncoding: 'view' })
  }

  release(): Promise<void> {
    return this.inner.close()
  }
}

/** The snapshot for a read of `owner`. Throws ERR_STORE_SNAPSHOT for one of another store. */
export function snapshotOf(at: StoreSnapshot, owner: object): LevelSnapshot {
  if (at instanceof LevelSnapshot && at.owner === owner) return at
  throw new PeerError('ERR_STORE_SNAPSHOT', 'expected a snapshot of this store, found one of another store', {
    hint: 'take it with snapshot() of the store that is read',
  })
}
