import { Buffer } from 'node:buffer'
import { PeerError } from '../../kernel/index.js'
import { asBuffer } from './bytes.js'
import type { Height, StateKey, TransactionLocation } from './ledger.js'
import { ByteReader, varintLength, varintOf, writeVarint } from './varint.js'

/** `chaincodeID ‖ 00 ‖ key` (spec/ledger.md §6.1). */
export function compositeKey(chaincode: StateKey, key: StateKey): Buffer {
  const bytes = Buffer.allocUnsafe(chaincode.length + 1 + key.length)
  writeCompositeKey(bytes, chaincode, key, 0)
  return bytes
}

/** Writes {@link compositeKey} at `offset`. */
export function writeCompositeKey(target: Uint8Array, chaincode: StateKey, key: StateKey, offset: number): void {
  target.set(chaincode, offset)
  target[offset + chaincode.length] = 0
  target.set(key, offset + chaincode.length + 1)
}

/** Splits a composite key at its first 00 byte (spec/ledger.md §6.1). Throws ERR_LEDGER_CORRUPT if there is none. */
export function splitCompositeKey(composite: Uint8Array): { readonly chaincode: Uint8Array; readonly key: Uint8Array } {
  const at = composite.indexOf(0)
  if (at < 0) throw new PeerError('ERR_LEDGER_CORRUPT', `expected a composite key with a 00 byte, found ${asBuffer(composite).toString('hex')}`)
  return { chaincode: composite.subarray(0, at), key: composite.subarray(at + 1) }
}

/** `opv(n)`: order-preserving encoding of an unsigned 64-bit number (spec/ledger.md §7.6). */
export function orderPreserving(value: bigint): Buffer {
  const bytes: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn))
  return Buffer.from([bytes.length, ...bytes])
}

/** `opv(n)` of a number up to 2^32, the fast way. */
export function orderPreserving32(value: number): Buffer {
  if (value > 0xffffffff) return orderPreserving(BigInt(value))
  const bytes = Buffer.allocUnsafe(orderPreservingLength(value))
  writeOrderPreserving(bytes, value)
  return bytes
}

/** Length of `opv(n)` of a number below 2^32. */
export function orderPreservingLength(value: number): number {
  return value > 0xffffff ? 5 : value > 0xffff ? 4 : value > 0xff ? 3 : value > 0 ? 2 : 1
}

/** Writes `opv(n)` of a number below 2^32 at the beginning of `target`; returns the offset after it. */
export function writeOrderPreserving(target: Uint8Array, value: number): number {
  const length = orderPreservingLength(value)
  target[0] = length - 1
  let rest = value
  for (let at = length - 1; at > 0; at -= 1) {
    target[at] = rest & 0xff
    rest >>>= 8
  }
  return length
}

/** Key of the row that holds the height, as `be64` (spec/ledger.md §5). */
export const BLOCK_COUNT_KEY: Uint8Array = Buffer.from('blockCount', 'latin1')

const BLOCK_HASH_ROW = Buffer.from([1])
const TXID_ROW = '\x02'

/** `01 ‖ blockHash` (spec/ledger.md §5). */
export function blockHashIndexKey(hash: Uint8Array): Buffer {
  return Buffer.concat([BLOCK_HASH_ROW, hash])
}

/** `02 ‖ txid bytes` (spec/ledger.md §5). */
export function txidIndexKey(txid: string): Buffer {
  return Buffer.from(TXID_ROW + txid, 'utf8')
}

/** Value of a block hash row: `varint(blockNumber)`. */
export const encodeBlockNumber: (block: Height) => Buffer = varintOf

/** Value of a txid row: `varint(blockNumber) ‖ varint(txIndex)`. */
export function encodeLocation({ block, index }: TransactionLocation): Buffer {
  return Buffer.concat([varintOf(block), varintOf(BigInt(index))])
}

/** {@link encodeLocation} for the first `count` elements of a block, in one piece of memory. */
export function encodeLocations(block: Height, count: number): Uint8Array[] {
  if (count === 0) return []
  const prefix = varintOf(block)
  const stride = prefix.length + varintLength(count)
  const memory = Buffer.allocUnsafe(stride * count)
  const locations: Uint8Array[] = []
  for (let index = 0; index < count; index += 1) {
    const start = index * stride
    memory.set(prefix, start)
    locations.push(memory.subarray(start, writeVarint(memory, index, start + prefix.length)))
  }
  return locations
}

/** Inverse of {@link encodeBlockNumber}. Throws ERR_LEDGER_CORRUPT. */
export function decodeBlockNumber(bytes: Uint8Array): Height {
  return indexReader(bytes).varint64()
}

/** Inverse of {@link encodeLocation}. Throws ERR_LEDGER_CORRUPT. */
export function decodeLocation(bytes: Uint8Array): TransactionLocation {
  const reader = indexReader(bytes)
  return { block: reader.varint64(), index: reader.varint() }
}

function indexReader(bytes: Uint8Array): ByteReader {
  return new ByteReader(bytes, (what) => new PeerError('ERR_LEDGER_CORRUPT', `an index row ${what}`))
}
