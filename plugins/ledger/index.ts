import { createToken } from '../../kernel/index.js'
import type { Ledger } from './ledger.js'

export type {
  CommittedBlock,
  CommittedState,
  ExecutedTransaction,
  Height,
  Ledger,
  LedgerBatch,
  StateEntry,
  StateKey,
  TransactionLocation,
  TransactionResult,
  TransactionState,
  VerifyReport,
} from './ledger.js'

/** Chain and world state of this peer. */
export const LEDGER = createToken<Ledger>('ledger', 'weft/plugins/ledger')
