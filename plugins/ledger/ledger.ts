import type { Block, BlockchainInfo, ChaincodeEvent } from '../../proto/index.js'
import type { StoreBatch } from '../level/index.js'

/** A block number or a chain height (number of blocks): unsigned 64 bit. */
export type Height = bigint

/** A state key or chaincode id as bytes. */
export type StateKey = Uint8Array

/** What executing one transaction gave (spec/ledger.md §11.4). */
export interface TransactionResult {
  readonly txid: string
  /** `undefined`: succeeded. Otherwise the text of the rejection event. */
  readonly error?: string
  /** Kept for succeeded and failed invokes; never for deploys. */
  readonly event?: ChaincodeEvent
}

/** One transaction of a batch: its canonical bytes (what a block holds) and its outcome. */
export interface ExecutedTransaction {
  /** Canonical encoding (unknown fields dropped), encoded once at the door. */
  readonly bytes: Uint8Array
  readonly result: TransactionResult
}

/** State as one transaction sees it: own writes, then the batch, then committed state (spec/ledger.md §6.2). */
export interface TransactionState {
  get(chaincode: StateKey, key: StateKey): Uint8Array | undefined
  /** Throws `LedgerError - InvalidArgument: ...` for an empty key or an absent value. */
  put(chaincode: StateKey, key: StateKey, value: Uint8Array | undefined): void
  delete(chaincode: StateKey, key: StateKey): void
  /** Both bounds inclusive, empty = unbounded. Order: own writes, batch, store (bucket order), each layer in a fixed order (§6.6). */
  range(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncIterable<StateEntry>
  /** Ends the transaction: merges its writes into the batch, or drops them. Any later call throws ERR_LEDGER_TRANSACTION_ENDED. */
  finish(succeeded: boolean): void
}

export interface StateEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Committed state only: what queries see. */
export interface CommittedState {
  get(chaincode: StateKey, key: StateKey): Uint8Array | undefined
  range(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncIterable<StateEntry>
}

/** The one open batch; becomes one block. At most one transaction is open at a time. */
export interface LedgerBatch {
  /** Opens a transaction. Throws if one is open or `txid` is empty. */
  begin(txid: string): TransactionState
  /** Hash of the state with this batch's finished transactions; `undefined` for an empty state. Recomputed only after changes. */
  stateHash(): Promise<Uint8Array | undefined>
  /** The chain info that committing these would give (§10), without committing. */
  preview(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined): Promise<BlockchainInfo>
  /**
   * Writes block, state, delta, indexes and `also` in one atomic synced batch (§10 commitTxBatch), then tells the listeners.
   * A rejected promise means nothing was written; the caller must stop (§15 item 4).
   */
  commit(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined, also?: (batch: StoreBatch) => void): Promise<CommittedBlock>
  rollback(): void
}

/** A block that was just committed (or stored raw by synchronisation). */
export interface CommittedBlock {
  readonly number: Height
  /** Encoded as stored, with nonHashData. */
  readonly bytes: Uint8Array
  readonly info: BlockchainInfo
  /** Every transaction that was executed for it, in order, failed ones included; empty for raw blocks. */
  readonly executed: readonly ExecutedTransaction[]
}

export interface TransactionLocation {
  readonly block: Height
  readonly index: number
}

/** Result of re-hashing everything. */
export interface VerifyReport {
  readonly height: Height
  readonly blocksChecked: Height
  readonly keysChecked: bigint
  /** Empty: all is well. */
  readonly faults: readonly { readonly where: string; readonly what: string }[]
}

/** Chain, world state and indexes (spec/ledger.md). */
export interface Ledger {
  /** Height, hash of the head block and its previous hash; height 0 on an empty chain. */
  info(): BlockchainInfo
  height(): Height
  /** Opens the batch. Throws ERR_LEDGER_BATCH_OPEN if one is open. */
  openBatch(): LedgerBatch
  readonly committed: CommittedState
  /** Committed state as of one moment: a query must not see half of two blocks. Must be released. */
  view(): CommittedState & { release(): Promise<void> }
  /** As stored. Throws `LedgerError - OutOfBounds: ledger: out of bounds` above the head; `undefined` for a hole. */
  blockBytes(number: Height): Uint8Array | undefined
  block(number: Height): Block | undefined
  /** Throws `LedgerError - ErrorTypeBlockNotFound: ...` for an unknown hash. */
  blockByHash(hash: Uint8Array): Block
  /** Canonical bytes of a committed transaction, `undefined` if unknown; if a txid repeats the latest one, also after a transfer. */
  transactionBytes(txid: string): Uint8Array | undefined
  /** Canonical bytes of the committed transaction that deployed a chaincode, the latest one; whatever other transactions have its name as their txid. */
  deployBytes(name: string): Uint8Array | undefined
  locate(txid: string): TransactionLocation | undefined
  /** Where the transaction with these very canonical bytes is, also if later ones have its txid; `undefined`: it is not in the chain. */
  locateBytes(txid: string, bytes: Uint8Array): TransactionLocation | undefined
  /** Serialised delta of one block; `undefined` if not kept. Throws OutOfBounds above the head. */
  stateDelta(number: Height): Uint8Array | undefined
  /** Current committed state hash. */
  stateHash(): Uint8Array | undefined
  /** Listeners run after the block is durable, in order of subscription; they must not throw and never delay a commit. */
  onCommit(listener: (block: CommittedBlock) => void): () => void
  /** Re-hashes everything, in bounded memory, beside whatever else goes on. What `progress` throws ends it. */
  verify(progress?: (done: Height, total: Height) => void): Promise<VerifyReport>
}
