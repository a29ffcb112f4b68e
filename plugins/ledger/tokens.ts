import { createToken } from '../../kernel/index.js'
import type { Ledger } from './ledger.js'
import type { SyncableLedger } from './ledger-sync.js'

/** Chain and world state of this peer. */
export const LEDGER = createToken<Ledger>('ledger', 'weft/plugins/ledger')

/** The same ledger, for state transfer. */
export const LEDGER_SYNC = createToken<SyncableLedger>('ledger-sync', 'weft/plugins/ledger')
