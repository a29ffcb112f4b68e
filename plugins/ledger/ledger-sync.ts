import type { Height, Ledger } from './ledger.js'

/** A block of another peer. */
export interface RawBlock {
  readonly number: Height
  readonly bytes: Uint8Array
}

/** Changes of the world state that were applied in memory by `applyStateDelta`. One of the two must be called. */
export interface AppliedDelta {
  readonly stateHash: Uint8Array | undefined
  /** Writes the state rows and notes that the state is now that of `block`; no block and no delta row (spec/ledger.md §10). Throws OutOfBounds above the head. */
  commit(block: Height): Promise<void>
  rollback(): void
}

/** All key-values of one moment. */
export interface StateSnapshot {
  /** The block whose state this is. */
  readonly block: Height
  /** By bucket, then by composite key (spec/ledger.md §7.8). */
  readonly entries: AsyncIterable<readonly [compositeKey: Uint8Array, value: Uint8Array]>
  release(): Promise<void>
}

/**
 * A new world state that is being filled beside the current one. A peer that stops before `activate` keeps the state it had;
 * what was filled is deleted at the next start.
 */
export interface StateReplacement {
  /** Adds the puts and deletions of a serialised delta, as received (ERR_LEDGER_DELTA if it is malformed). Bytes are kept. */
  add(delta: Uint8Array): Promise<void>
  /** Hash of what was added so far. */
  stateHash(): Promise<Uint8Array | undefined>
  /**
   * Makes this the peer's state, that of `block`, in one atomic write, and drops the former one and the delta history. Throws OutOfBounds above the head,
   * which ends the replacement: store the block first.
   */
  activate(block: Height): Promise<void>
  discard(): Promise<void>
}

/** What state transfer needs of the ledger (spec/ledger.md §10, §13). */
export interface LedgerSync {
  /**
   * The block whose state the world state is; `undefined` if there is none (no genesis, or the state was deleted).
   * Less than the head while a transfer is under way, also after a restart.
   */
  stateBlock(): Height | undefined
  /**
   * Stores blocks as received, unchecked, in canonical form with their nonHashData, with their index rows, in one atomic write and with the result of
   * storing one after the other; raises the height to above the highest (spec/ledger.md §3.3). All are in memory at once: how many is up to the caller.
   * Throws WireError if one is not a block, ERR_LEDGER_BATCH_OPEN if the height would be raised under an open batch; then none is stored.
   */
  putRawBlocks(blocks: readonly RawBlock[]): Promise<void>
  /** The lowest block number that is connected to `high` by hashes (spec/ledger.md §10 verifyChain). */
  verifyChain(high: Height, low: Height): Promise<Height>
  /** Computes the state after a received delta (ERR_LEDGER_DELTA if malformed). Throws ERR_LEDGER_BATCH_OPEN if a batch or delta is open. */
  applyStateDelta(delta: Uint8Array, options?: { readonly rollBackwards?: boolean }): Promise<AppliedDelta>
  /** Empties the world state and the delta history; blocks and indexes stay. */
  deleteAllState(): Promise<void>
  /** Throws ERR_LEDGER_STATE_BEHIND if there is no state. Must be released. */
  stateSnapshot(): StateSnapshot
  /** Begins a replacement of the whole state. Only one at a time. */
  replaceState(): Promise<StateReplacement>
}

/** The ledger with everything that state transfer needs. */
export type SyncableLedger = Ledger & LedgerSync
