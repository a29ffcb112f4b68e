import { Buffer } from 'node:buffer'

/** Up to here this costs less than Buffer does. */
const SHORT = 12
/** A header of a Buffer over other memory costs more than a copy of so many bytes. */
const scratch = Buffer.allocUnsafeSlow(4096)

/** Bytes as a string of as many characters, in the same order: for keys of maps. */
export function latin1(bytes: Uint8Array): string {
  const { length } = bytes
  if (length <= SHORT) return Reflect.apply(String.fromCharCode, undefined, bytes)
  if (Buffer.isBuffer(bytes)) return bytes.toString('latin1')
  if (length > scratch.length) return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')
  scratch.set(bytes)
  return scratch.toString('latin1', 0, length)
}

/** The bytes of such a string. */
export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
