import { Cursor } from './cursor.js'

/** One length-delimited field of a message as it stands on the wire. */
export interface WireField {
  readonly number: number
  /** Where its tag begins, its contents begin and end. */
  readonly start: number
  readonly from: number
  readonly to: number
}

/** The length-delimited fields of a message, in order; others are passed over. Throws WireError. */
export function* lengthDelimitedFields(bytes: Uint8Array): Generator<WireField> {
  const cursor = new Cursor(bytes)
  while (cursor.position < cursor.limit) {
    const start = cursor.position
    const number = cursor.fieldNumber()
    const wireType = cursor.low & 7
    if (wireType !== 2) {
      cursor.skip(wireType)
      continue
    }
    const to = cursor.lengthDelimitedEnd()
    yield { number, start, from: cursor.position, to }
    cursor.position = to
  }
}

/** A length-delimited field: tag, length and contents, which are the concatenation of `parts`. */
export function lengthDelimited(number: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  const tag = (number << 3) | 2
  const bytes = Buffer.allocUnsafe(varintLength(tag) + varintLength(length) + length)
  let position = writeVarint(bytes, tag, 0)
  position = writeVarint(bytes, length, position)
  for (const part of parts) {
    bytes.set(part, position)
    position += part.length
  }
  return bytes
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++
  return length
}

function writeVarint(bytes: Uint8Array, value: number, at: number): number {
  let position = at
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes[position++] = (rest & 0x7f) | 0x80
  bytes[position++] = rest
  return position
}
