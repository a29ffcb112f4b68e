import { binaryString } from './bytes.js'
import type { StateKey } from './ledger.js'

/** What one key becomes: `value` absent means deleted; `previousValue` is the committed value before the batch (spec/ledger.md §6.2). */
export interface DeltaEntry {
  readonly key: StateKey
  value: Uint8Array | undefined
  readonly previousValue: Uint8Array | undefined
}

/** The changed keys of one chaincode, by the binary string of the key. */
export interface DeltaGroup {
  readonly chaincode: StateKey
  readonly entries: Map<string, DeltaEntry>
}

/** Changes of the world state, by chaincode and key. Bytes are kept, not copied: do not change them afterwards. */
export class StateDelta {
  /** By the binary string of the chaincode id. */
  readonly groups = new Map<string, DeltaGroup>()

  get isEmpty(): boolean {
    return this.groups.size === 0
  }

  /** Number of changed keys. */
  get size(): number {
    let size = 0
    for (const group of this.groups.values()) size += group.entries.size
    return size
  }

  /** The change of a key; names are given as binary strings. */
  entry(chaincodeName: string, keyName: string): DeltaEntry | undefined {
    return this.groups.get(chaincodeName)?.entries.get(keyName)
  }

  /** The group of a chaincode, made if there is none. */
  group(chaincodeName: string, chaincode: StateKey): DeltaGroup {
    const existing = this.groups.get(chaincodeName)
    if (existing) return existing
    const group: DeltaGroup = { chaincode, entries: new Map() }
    this.groups.set(chaincodeName, group)
    return group
  }

  /** Records a change; of an entry that exists, `previousValue` stays (spec/ledger.md §6.2 `set`). */
  set(chaincode: StateKey, key: StateKey, value: Uint8Array | undefined, previousValue: Uint8Array | undefined): void {
    const { entries } = this.group(binaryString(chaincode), chaincode)
    const keyName = binaryString(key)
    const entry = entries.get(keyName)
    if (entry) entry.value = value
    else entries.set(keyName, { key, value, previousValue })
  }

  /** Takes over the changes of a finished transaction (spec/ledger.md §6.2 `merge`). `other` must not be used afterwards. */
  merge(other: StateDelta): void {
    for (const [name, group] of other.groups) {
      const mine = this.groups.get(name)
      if (!mine) {
        this.groups.set(name, group)
        continue
      }
      for (const [keyName, entry] of group.entries) {
        const existing = mine.entries.get(keyName)
        if (existing) existing.value = entry.value
        else mine.entries.set(keyName, entry)
      }
    }
  }
}
