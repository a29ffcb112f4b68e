import { Buffer } from 'node:buffer'

/** Up to here this costs less than Buffer does. */
const SHORT = 12

/** Bytes as a string of as many characters, in the same order: for keys of maps. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= SHORT) return Reflect.apply(String.fromCharCode, undefined, bytes)
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return buffer.toString('latin1')
}

/** The bytes of such a string. */
export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
