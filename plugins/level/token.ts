import { createToken } from '../../kernel/index.js'
import type { StoreCounters } from './counters.js'
import type { Store } from './store.js'

/** The peer's store. */
export const STORE = createToken<Store>('store', 'weft/plugins/level')

/** What the store has done so far. */
export const STORE_COUNTERS = createToken<StoreCounters>('store counters', 'weft/plugins/level')
