export { default } from './plugin.js'
export { type LedgerOptions, createLedger } from './create-ledger.js'
export type { LedgerInspection, OpenLedger, StateView } from './inspectable-ledger.js'
export { decodeDelta, encodeDelta } from './state-delta-codec.js'
export { StateDelta } from './state-delta.js'
export { compositeKey, splitCompositeKey } from './encodings.js'
export { blockHash } from './chain.js'
export { HASH_LENGTH, ledgerHash } from './hash.js'
export type { LedgerSettings } from './settings.js'
export type { AppliedDelta, LedgerSync, RawBlock, StateReplacement, StateSnapshot, SyncableLedger } from './ledger-sync.js'
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

export { ledgerKeys, validatorKeys } from './keys.js'
export type { LedgerCounters } from './counters.js'
export { LEDGER, LEDGER_COUNTERS, LEDGER_SYNC } from './tokens.js'
