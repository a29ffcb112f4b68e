import { corrupt } from '../errors.js'
import { ledgerHash } from '../hash.js'
import { ByteReader, prefixedLength, varintLength, varintOf, writePrefixed, writeVarint } from '../varint.js'

/** A node of the trie; its key is the prefix that it stands for, empty at the root (spec/ledger.md §8). */
export interface TrieNode {
  readonly value: Uint8Array | undefined
  /** Child hashes by the last byte of the child's key. */
  readonly children: ReadonlyMap<number, Uint8Array>
}

/** Hash of a node; `undefined` if it has neither value nor child and so no row (spec/ledger.md §8). */
export function trieNodeHash(key: Uint8Array, { value, children }: TrieNode): Uint8Array | undefined {
  const hashes = ascending(children).map(([, hash]) => hash)
  const hasValue = key.length > 0 && value !== undefined
  if (!hasValue && hashes.length <= 1) return hashes[0]
  // The whole key is hashed with its length, the value without one.
  return ledgerHash(...(hasValue ? [varintOf(BigInt(key.length)), key, value] : []), ...hashes)
}

/** Row of a node: `(00 | 01 lp(value)) ‖ varint(children) ‖ (varint(index) ‖ lp(hash))*`, children ascending. */
export function encodeTrieNode({ value, children }: TrieNode): Buffer {
  let length = 1 + (value === undefined ? 0 : prefixedLength(value.length)) + varintLength(children.size)
  for (const [index, hash] of children) length += varintLength(index) + prefixedLength(hash.length)
  const bytes = Buffer.allocUnsafe(length)
  bytes[0] = value === undefined ? 0 : 1
  let at = value === undefined ? 1 : writePrefixed(bytes, value, 1)
  at = writeVarint(bytes, children.size, at)
  for (const [index, hash] of ascending(children)) {
    at = writeVarint(bytes, index, at)
    at = writePrefixed(bytes, hash, at)
  }
  return bytes
}

/** Inverse of {@link encodeTrieNode}. Throws ERR_LEDGER_CORRUPT. */
export function decodeTrieNode(bytes: Uint8Array): TrieNode {
  const reader = new ByteReader(bytes, (what) => corrupt(`the row of a trie node ${what}`))
  const value = reader.varint() === 0 ? undefined : reader.prefixed()
  const children = new Map<number, Uint8Array>()
  for (let left = reader.varint(); left > 0; left -= 1) children.set(reader.varint(), reader.prefixed())
  return { value, children }
}

function ascending(children: ReadonlyMap<number, Uint8Array>): [number, Uint8Array][] {
  return [...children].sort(([a], [b]) => a - b)
}
