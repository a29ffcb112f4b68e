import { corrupt } from '../errors.js'
import { HASH_LENGTH, ledgerHash } from '../hash.js'

/*
 * Inner nodes as the tree works with them: the row itself (spec/ledger.md §7.6), a byte 00 for every empty slot, a byte 40 and the hash for every
 * other one. Read, changed and written without ever being taken apart; one piece of memory a node.
 */

/** New hashes by slot; `null`: the child is gone; absent: unchanged. */
export type ChildChanges = (Uint8Array | null | undefined)[]

/** Throws ERR_LEDGER_CORRUPT if a stored row does not have `grouping` slots. */
export function checkNodeRow(row: Uint8Array, grouping: number): void {
  let at = 0
  for (let slot = 0; slot < grouping; slot += 1) {
    const length = row[at]
    if (length !== 0 && length !== HASH_LENGTH)
      throw corrupt(`the row of an inner node has ${length ?? 'no'} bytes in slot ${slot}, expected 0 or ${HASH_LENGTH}`)
    at += 1 + length
  }
  if (at !== row.length) throw corrupt(`the row of an inner node has ${row.length} bytes, expected ${at} for its ${grouping} slots`)
}

/** Whether there is a child in a slot. */
export function hasChild(row: Uint8Array, slot: number): boolean {
  let at = 0
  for (let before = 0; before < slot; before += 1) at += 1 + (row[at] ?? 0)
  return row[at] === HASH_LENGTH
}

/** The row after changes; none if no child is left. `row` absent: there was no node. */
export function changedNodeRow(row: Uint8Array | undefined, changes: ChildChanges, grouping: number): Uint8Array | undefined {
  return row !== undefined && areReplacements(row, changes) ? replacedHashes(row, changes) : rebuiltRow(row, changes, grouping)
}

/** Whether each change is a new hash of a child that the row has: as it is most of the time. */
function areReplacements(row: Uint8Array, changes: ChildChanges): boolean {
  let at = 0
  for (let slot = 0; slot < changes.length; slot += 1) {
    const length = row[at] ?? 0
    const change = changes[slot]
    if (change === null || (change !== undefined && length === 0)) return false
    at += 1 + length
  }
  return true
}

function replacedHashes(row: Uint8Array, changes: ChildChanges): Uint8Array {
  const replaced = new Uint8Array(row)
  let at = 0
  for (let slot = 0; slot < changes.length; slot += 1) {
    const change = changes[slot]
    if (change) replaced.set(change, at + 1)
    at += 1 + (row[at] ?? 0)
  }
  return replaced
}

function rebuiltRow(row: Uint8Array | undefined, changes: ChildChanges, grouping: number): Uint8Array | undefined {
  let length = row?.length ?? grouping
  let at = 0
  for (let slot = 0; slot < grouping; slot += 1) {
    const old = row?.[at] ?? 0
    at += 1 + old
    const change = changes[slot]
    if (change !== undefined) length += (change === null ? 0 : HASH_LENGTH) - old
  }
  if (length === grouping) return undefined
  const changed = new Uint8Array(length)
  let from = 0
  let to = 0
  for (let slot = 0; slot < grouping; slot += 1) {
    const old = row?.[from] ?? 0
    const change = changes[slot]
    if (change !== undefined && change !== null) {
      changed[to] = HASH_LENGTH
      changed.set(change, to + 1)
      to += 1 + HASH_LENGTH
    } else if (change === undefined && row !== undefined && old > 0) {
      copy(row, from, changed, to, 1 + HASH_LENGTH)
      to += 1 + HASH_LENGTH
    } else to += 1
    from += 1 + old
  }
  return changed
}

// A row, and then the hashes in it side by side: moved by words, of which a view is at hand.
let hashes = new Uint8Array(1024)
let words = new DataView(hashes.buffer)

/** Hash of a node: of its only child, or over the hashes of its children (spec/ledger.md §7.4). */
export function nodeRowHash(row: Uint8Array): Uint8Array {
  if (row.length > hashes.length) {
    hashes = new Uint8Array(row.length)
    words = new DataView(hashes.buffer)
  }
  hashes.set(row)
  let to = 0
  for (let at = 0; at < row.length; at += 1 + (row[at] ?? 0)) {
    if (row[at] !== HASH_LENGTH) continue
    for (let word = 0; word < HASH_LENGTH; word += 4) words.setUint32(to + word, words.getUint32(at + 1 + word))
    to += HASH_LENGTH
  }
  return to > HASH_LENGTH ? ledgerHash(hashes.subarray(0, to)) : hashes.slice(0, to)
}

/** For a few bytes: a view of them would cost more. */
function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  for (let at = 0; at < count; at += 1) target[to + at] = source[from + at] ?? 0
}
