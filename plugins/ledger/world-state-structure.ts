import type { StoreBatch, StoreSnapshot } from '../level/index.js'
import type { StateEntry, StateKey } from './ledger.js'
import type { StateDelta } from './state-delta.js'

/** A computed change of the state, not yet written. Valid until the structure is changed by another. */
export interface PreparedState {
  /** Hash of the state with the change; `undefined` for an empty state. */
  readonly hash: Uint8Array | undefined
  /** Puts the touched rows into a batch. */
  write(batch: StoreBatch): void
  /** To be called once that batch is durable: from now on this is the committed state. */
  committed(): void
}

/** The hash depends on nothing besides the key-values. */
export const NOTHING_ELSE = new Uint8Array(0)

/** What checking the state against its own hashes found. */
export interface StateCheck {
  readonly hash: Uint8Array | undefined
  readonly keysChecked: bigint
  readonly faults: readonly { readonly where: string; readonly what: string }[]
}

/** How the world state is stored and hashed (`ledger.state.dataStructure.name`; spec/ledger.md §7-§9). */
export interface WorldStateStructure {
  /** Hash of the committed state; `undefined` for an empty state. */
  readonly hash: Uint8Array | undefined
  get(chaincode: StateKey, key: StateKey, at?: StoreSnapshot): Uint8Array | undefined
  /** Both bounds inclusive, empty = unbounded, in the structure's own order (spec/ledger.md §6.6). */
  range(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry>
  /** As {@link range}, in the order of the keys' bytes, so that a reader can stop anywhere and go on. */
  list(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry>
  /** Computes the state after a delta; with `rollBackwards` each key gets its previous value (spec/ledger.md §7.5). */
  prepare(delta: StateDelta, rollBackwards: boolean): Promise<PreparedState>
  /** All composite keys and values of one moment, in the order of snapshots (spec/ledger.md §7.8). */
  entries(at: StoreSnapshot): AsyncIterable<readonly [compositeKey: Uint8Array, value: Uint8Array]>
  /** Recomputes the whole state from its key-values and compares it with every stored row. `pause` is awaited now and then. */
  check(at: StoreSnapshot, pause: () => Promise<void>): Promise<StateCheck>
  /** What the hash depends on besides the key-values: nothing, or, of a trie, the first bytes that its root holds, ascending (spec/ledger.md §8). */
  hashContext(at: StoreSnapshot): Uint8Array
  /** Sets what {@link hashContext} gave for the same key-values. Only where that can be more than nothing. */
  prepareContext?(context: Uint8Array): PreparedState
  /** Whether a state of this hash and context cannot have another value under the key. */
  covers(composite: Uint8Array, context: Uint8Array): boolean
}
