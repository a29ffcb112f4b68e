import { Buffer } from 'node:buffer'

/** Up to here this is faster than Buffer, whose headers and look-up of the encoding cost more than the bytes. A loop would make a string of as many pieces, which a map joins first. */
const SHORT = 12

/** The bytes as a string of code units 0..255, one a byte: a map key that loses nothing and sorts as the bytes do (spec/ledger.md §0). */
export function binaryString(bytes: Uint8Array): string {
  return bytes.length > SHORT ? asBuffer(bytes).toString('latin1') : Reflect.apply(String.fromCharCode, undefined, bytes)
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Unsigned bytewise order, shorter prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

/** Equality of two byte strings of which each may be absent; absent is not zero length. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && Buffer.compare(a, b) === 0
}

/** 8 bytes, big-endian (spec/ledger.md §0). */
export function be64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  if (value < 0n || value > MAX_SAFE) {
    bytes.writeBigUInt64BE(value)
    return bytes
  }
  const number = Number(value)
  bytes.writeUInt32BE(Math.floor(number / TWO_POWER_32), 0)
  bytes.writeUInt32BE(number % TWO_POWER_32, 4)
  return bytes
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const TWO_POWER_32 = 0x1_0000_0000

/** Inverse of {@link be64}; `undefined` if these are not 8 bytes. */
export function readBe64(bytes: Uint8Array): bigint | undefined {
  return bytes.length === 8 ? asBuffer(bytes).readBigUInt64BE(0) : undefined
}

/** Hex for messages, shortened. */
export function shortHex(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'none'
  const hex = asBuffer(bytes.subarray(0, 12)).toString('hex')
  return bytes.length > 12 ? `${hex}...` : hex
}
