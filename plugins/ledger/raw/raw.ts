import type { Namespace, StoreBatch, StoreSnapshot } from '../../level/index.js'
import { compositeKey } from '../encodings.js'
import { chaincodeRange } from '../key-range.js'
import type { StateEntry, StateKey } from '../ledger.js'
import type { StateDelta } from '../state-delta.js'
import { NOTHING_ELSE, type PreparedState, type StateCheck, type WorldStateStructure } from '../world-state-structure.js'

const ROWS_BETWEEN_PAUSES = 1000

interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** The plain rows of v0.6 (spec/ledger.md §9): composite key to value, and never a state hash. Range queries and snapshots, which end the original, are in key order. */
export class Raw implements WorldStateStructure {
  readonly hash = undefined

  constructor(private readonly state: Namespace) {}

  get(chaincode: StateKey, key: StateKey, at?: StoreSnapshot): Uint8Array | undefined {
    return this.state.get(compositeKey(chaincode, key), at)
  }

  async *range(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry> {
    const range = chaincodeRange(chaincode, startKey, endKey)
    if (!range) return
    for await (const [composite, value] of this.state.entries(range, at)) yield { key: composite.subarray(chaincode.length + 1), value }
  }

  list(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry> {
    return this.range(chaincode, startKey, endKey, at)
  }

  async prepare(delta: StateDelta, rollBackwards: boolean): Promise<PreparedState> {
    const changes = changesOf(delta, rollBackwards)
    return { hash: undefined, write: (batch) => this.write(batch, changes), committed: () => undefined }
  }

  entries(at: StoreSnapshot): AsyncIterable<readonly [compositeKey: Uint8Array, value: Uint8Array]> {
    return this.state.entries({}, at)
  }

  async check(at: StoreSnapshot, pause: () => Promise<void>): Promise<StateCheck> {
    const faults: StateCheck['faults'][number][] = []
    let keysChecked = 0n
    for await (const [key] of this.state.entries({}, at)) {
      keysChecked += 1n
      if (!key.includes(0) && faults.length === 0) faults.push({ where: 'world state', what: `a key of ${key.length} bytes does not name a chaincode` })
      if (keysChecked % BigInt(ROWS_BETWEEN_PAUSES) === 0n) await pause()
    }
    return { hash: undefined, keysChecked, faults }
  }

  hashContext(): Uint8Array {
    return NOTHING_ELSE
  }

  covers(): boolean {
    return false
  }

  private write(batch: StoreBatch, changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      if (value === undefined) batch.delete(this.state, key)
      else batch.put(this.state, key, value)
    }
  }
}

function changesOf(delta: StateDelta, rollBackwards: boolean): Change[] {
  return Array.from(delta.groups.values()).flatMap(({ chaincode, entries }) =>
    Array.from(entries.values(), ({ key, value, previousValue }) => ({ key: compositeKey(chaincode, key), value: rollBackwards ? previousValue : value })),
  )
}
