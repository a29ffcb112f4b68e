import { createToken } from '../../kernel/index.js'
import type { Store } from './store.js'

export type { KeyRange, Namespace, Store, StoreBatch, StoreSnapshot, WriteKind } from './store.js'

/** The peer's store. */
export const STORE = createToken<Store>('store', 'weft/plugins/level')
