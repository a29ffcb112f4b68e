import { PeerError } from '../../kernel/index.js'
import { binaryString, compareBytes } from './bytes.js'
import { ledgerHash } from './hash.js'
import { type DeltaEntry, type DeltaGroup, StateDelta } from './state-delta.js'
import { ByteReader, prefixedLength, varintLength, writePrefixed, writeVarint } from './varint.js'

/** Serialises a delta (spec/ledger.md §6.3). v0.6 writes in no order; this writes sorted by chaincode and key, so equal deltas have equal bytes. */
export function encodeDelta(delta: StateDelta): Uint8Array {
  const groups = sortedGroups(delta)
  let length = varintLength(groups.length)
  for (const { chaincode, entries } of groups) {
    length += prefixedLength(chaincode.length) + varintLength(entries.length)
    for (const { key, value, previousValue } of entries) length += prefixedLength(key.length) + optionalLength(value) + optionalLength(previousValue)
  }
  const bytes = Buffer.allocUnsafe(length)
  let at = writeVarint(bytes, groups.length, 0)
  for (const { chaincode, entries } of groups) {
    at = writePrefixed(bytes, chaincode, at)
    at = writeVarint(bytes, entries.length, at)
    for (const { key, value, previousValue } of entries) {
      at = writePrefixed(bytes, key, at)
      at = writeOptional(bytes, value, at)
      at = writeOptional(bytes, previousValue, at)
    }
  }
  return bytes
}

/**
 * Reads a delta that may come from anybody (spec/ledger.md §6.3): trailing bytes are ignored, a repeated chaincode or key replaces the earlier one.
 * Keys and values are views of `bytes`.
 *
 * @throws PeerError ERR_LEDGER_DELTA if the bytes are empty, truncated or malformed
 */
export function decodeDelta(bytes: Uint8Array): StateDelta {
  const reader = new ByteReader(bytes, (what) => new PeerError('ERR_LEDGER_DELTA', `expected a state delta; found ${bytes.length} bytes; the input ${what}`))
  const delta = new StateDelta()
  // Counts come from outside: nothing is reserved for them, and each element takes at least two bytes of input.
  const chaincodes = reader.varint()
  for (let i = 0; i < chaincodes; i += 1) {
    const group: DeltaGroup = { chaincode: reader.prefixed(), entries: new Map() }
    const keys = reader.varint()
    for (let j = 0; j < keys; j += 1) {
      const key = reader.prefixed()
      const value = readOptional(reader)
      const previousValue = readOptional(reader)
      group.entries.set(binaryString(key), { key, value, previousValue })
    }
    delta.groups.set(binaryString(group.chaincode), group)
  }
  return delta
}

/** Hash over chaincode ids, keys and values in order; `undefined` for an empty delta (spec/ledger.md §6.4, informational). */
export function deltaHash(delta: StateDelta): Uint8Array | undefined {
  if (delta.isEmpty) return undefined
  const pieces: Uint8Array[] = []
  for (const { chaincode, entries } of sortedGroups(delta)) {
    pieces.push(chaincode)
    for (const { key, value } of entries) {
      pieces.push(key)
      if (value !== undefined) pieces.push(value)
    }
  }
  return ledgerHash(...pieces)
}

interface SortedGroup {
  readonly chaincode: Uint8Array
  readonly entries: readonly DeltaEntry[]
}

function sortedGroups(delta: StateDelta): SortedGroup[] {
  const groups: SortedGroup[] = []
  for (const { chaincode, entries } of delta.groups.values()) groups.push({ chaincode, entries: sorted([...entries.values()], byKey) })
  return sorted(groups, (a, b) => compareBytes(a.chaincode, b.chaincode))
}

const byKey = (a: DeltaEntry, b: DeltaEntry): number => compareBytes(a.key, b.key)

/** In place. */
function sorted<T>(items: T[], compare: (a: T, b: T) => number): T[] {
  return items.length > 1 ? items.sort(compare) : items
}

function optionalLength(value: Uint8Array | undefined): number {
  return value === undefined ? 1 : 1 + prefixedLength(value.length)
}

function writeOptional(target: Uint8Array, value: Uint8Array | undefined, offset: number): number {
  target[offset] = value === undefined ? 0 : 1
  return value === undefined ? offset + 1 : writePrefixed(target, value, offset + 1)
}

function readOptional(reader: ByteReader): Uint8Array | undefined {
  return reader.varint() === 0 ? undefined : reader.prefixed()
}
