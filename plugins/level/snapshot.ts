import type { AbstractSnapshot } from 'abstract-level'
import { PeerError } from '../../kernel/index.js'
import type { StoreSnapshot } from './store.js'

/** A snapshot of LevelDB behind the store's contract. */
export class LevelSnapshot implements StoreSnapshot {
  constructor(
    readonly inner: AbstractSnapshot,
    /** The store it was taken of. */
    readonly owner: object,
  ) {}

  release(): Promise<void> {
    return this.inner.close()
  }
}

/** LevelDB's snapshot for a read of `owner`. Throws ERR_STORE_SNAPSHOT for one of another store. */
export function snapshotOf(at: StoreSnapshot | undefined, owner: object): AbstractSnapshot | undefined {
  if (at === undefined) return undefined
  if (at instanceof LevelSnapshot && at.owner === owner) return at.inner
  throw new PeerError('ERR_STORE_SNAPSHOT', 'expected a snapshot of this store, found one of another store', { hint: 'take it with snapshot() of the store that is read' })
}
