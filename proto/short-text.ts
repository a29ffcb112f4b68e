import { Buffer } from 'node:buffer'

/** A decoder costs more than this way up to here. */
const LONGEST = 128

/** Reads the text in bytes from one place to another; undefined: it is longer than 128 bytes, or not ASCII. */
export type ShortTextReader = (bytes: Uint8Array, from: number, to: number) => string | undefined

// A copy of so few bytes costs less than a header for them where they are.
const scratch = Buffer.allocUnsafeSlow(LONGEST)

/** Reads short text. */
export function shortText(bytes: Uint8Array, from: number, to: number): string | undefined {
  const length = to - from
  if (length > LONGEST) return undefined
  let bits = 0
  for (let index = 0; index < length; index++) {
    const byte = bytes[from + index] ?? 0
    bits |= byte
    scratch[index] = byte
  }
  return bits < 0x80 ? scratch.toString('latin1', 0, length) : undefined
}

/** A reader for text that comes again and again, as the digest of a batch in all votes for it: that is one string, whose hash is known to the maps that it is looked up in. */
export function createRepeatedTextReader(): ShortTextReader {
  const last = Buffer.allocUnsafeSlow(LONGEST)
  let text: string | undefined
  return (bytes, from, to) => {
    const length = to - from
    if (length > LONGEST) return undefined
    if (text?.length === length && last.compare(bytes, from, to, 0, length) === 0) return text
    const read = shortText(bytes, from, to)
    if (read === undefined) return undefined
    scratch.copy(last, 0, 0, length)
    return (text = read)
  }
}
