import { createToken } from '../../kernel/index.js'
import type { Store } from './store.js'

/** The peer's store. */
export const STORE = createToken<Store>('store', 'weft/plugins/level')
