import { PeerError } from '../../kernel/index.js'
import { binaryString, compareBytes } from './bytes.js'
import { invalidPut } from './errors.js'
import type { StateEntry, StateKey, TransactionState } from './ledger.js'
import { type DeltaEntry, StateDelta } from './state-delta.js'

/** What lies under a transaction: the batch and the committed state. */
export interface BatchLayers {
  readonly delta: StateDelta
  /** Committed value; `name` is the key's binary string. */
  committed(chaincode: StateKey, chaincodeName: string, key: StateKey, name: string): Uint8Array | undefined
  committedRange(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncIterable<StateEntry>
  /** The transaction has ended; `delta` are the writes to keep, if any. */
  ended(delta: StateDelta | undefined): void
}

/** The world state of one running transaction (spec/ledger.md §6.2). */
export class OpenTransaction implements TransactionState {
  private readonly delta = new StateDelta()
  private isOpen = true
  private lastChaincode: StateKey | undefined
  private lastChaincodeName = ''

  constructor(
    readonly txid: string,
    private readonly layers: BatchLayers,
  ) {}

  get(chaincode: StateKey, key: StateKey): Uint8Array | undefined {
    this.requireOpen()
    const chaincodeName = this.nameOf(chaincode)
    const name = binaryString(key)
    const entry = this.delta.entry(chaincodeName, name) ?? this.layers.delta.entry(chaincodeName, name)
    return entry ? entry.value : this.layers.committed(chaincode, chaincodeName, key, name)
  }

  put(chaincode: StateKey, key: StateKey, value: Uint8Array | undefined): void {
    if (key.length === 0 || value === undefined) throw invalidPut(key, value)
    this.write(chaincode, key, value)
  }

  delete(chaincode: StateKey, key: StateKey): void {
    this.write(chaincode, key, undefined)
  }

  range(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncIterable<StateEntry> {
    this.requireOpen()
    const name = binaryString(chaincode)
    const own = entriesInRange(this.delta, name, startKey, endKey)
    const batch = entriesInRange(this.layers.delta, name, startKey, endKey)
    return this.scan(own, batch, this.layers.committedRange(chaincode, startKey, endKey))
  }

  finish(succeeded: boolean): void {
    this.requireOpen()
    this.isOpen = false
    this.layers.ended(succeeded ? this.delta : undefined)
  }

  /** Ends the transaction without telling the batch, which is being dropped. */
  abandon(): void {
    this.isOpen = false
  }

  /** Own writes, then the batch, then the store; a key is shown by the first layer that has it, unless it is deleted there (§6.6). */
  private async *scan(
    own: ReadonlyMap<string, DeltaEntry>,
    batch: ReadonlyMap<string, DeltaEntry>,
    committed: AsyncIterable<StateEntry>,
  ): AsyncIterable<StateEntry> {
    for (const { key, value } of own.values()) {
      this.requireOpen()
      if (value !== undefined) yield { key, value }
    }
    for (const [name, { key, value }] of batch) {
      this.requireOpen()
      if (value !== undefined && !own.has(name)) yield { key, value }
    }
    this.requireOpen()
    const hasLayers = own.size > 0 || batch.size > 0
    for await (const entry of committed) {
      this.requireOpen()
      const name = hasLayers ? binaryString(entry.key) : ''
      if (!hasLayers || !(own.has(name) || batch.has(name))) yield entry
    }
  }

  private write(chaincode: StateKey, key: StateKey, value: Uint8Array | undefined): void {
    this.requireOpen()
    const chaincodeName = this.nameOf(chaincode)
    const name = binaryString(key)
    const { entries } = this.delta.group(chaincodeName, chaincode)
    const entry = entries.get(name)
    if (entry) {
      entry.value = value
      return
    }
    // The value before the batch, which an entry of the batch already knows.
    const before = this.layers.delta.entry(chaincodeName, name)
    const previousValue = before ? before.previousValue : this.layers.committed(chaincode, chaincodeName, key, name)
    entries.set(name, { key, value, previousValue })
  }

  /** A transaction mostly names one chaincode by one and the same array. */
  private nameOf(chaincode: StateKey): string {
    if (chaincode !== this.lastChaincode) {
      if (chaincode.includes(0))
        throw new PeerError('ERR_LEDGER_INVALID_ARGUMENT', 'LedgerError - InvalidArgument: a chaincode name must not contain a 00 byte')
      this.lastChaincode = chaincode
      this.lastChaincodeName = binaryString(chaincode)
    }
    return this.lastChaincodeName
  }

  private requireOpen(): void {
    if (!this.isOpen) throw new PeerError('ERR_LEDGER_TRANSACTION_ENDED', `transaction ${this.txid} has ended: its state can no longer be used`)
  }
}

/** Copies of the entries of a layer that lie in a range, in key order, as they are now. */
function entriesInRange(delta: StateDelta, chaincodeName: string, startKey: StateKey, endKey: StateKey): ReadonlyMap<string, DeltaEntry> {
  const group = delta.groups.get(chaincodeName)
  if (!group) return NONE
  const inRange = ({ key }: DeltaEntry) => compareBytes(key, startKey) >= 0 && (endKey.length === 0 || compareBytes(key, endKey) <= 0)
  const found = [...group.entries].filter(([, entry]) => inRange(entry)).map(([name, entry]): [string, DeltaEntry] => [name, { ...entry }])
  return new Map(found.sort(([, a], [, b]) => compareBytes(a.key, b.key)))
}

const NONE: ReadonlyMap<string, DeltaEntry> = new Map()
