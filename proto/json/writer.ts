import { goString, goUtf8 } from './go-text.js'

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1')
const QUOTE = 0x22
const PAD = 0x3d
const FIRST_SIZE = 16 * 1024
/** A larger buffer is given back after use. */
const KEPT_SIZE = 1024 * 1024
/** From here on the native encoder is faster than the loop. */
const LONG_BYTES = 512

/** Writes JSON as bytes, without strings in between: the shape of blocks is known, and their contents are bytes already. */
export class JsonWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)
  #length = 0

  /** One ASCII character. */
  byte(code: number): void {
    this.#reserve(1)
    this.#buffer[this.#length] = code
    this.#length += 1
  }

  /** Ready-made JSON. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** A whole number, given as two halves of 64 bits, unsigned. */
  uint64(low: number, high: number): void {
    this.#ascii(String(high === 0 ? low : (BigInt(high) << 32n) | BigInt(low)))
  }

  /** The same, signed. */
  int64(low: number, high: number): void {
    this.#ascii(String(high === 0 ? low : BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))))
  }

  /** Bytes in base64, with padding and quotes. */
  base64(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#reserve(Math.ceil(length / 3) * 4 + 2)
    this.byte(QUOTE)
    if (length >= LONG_BYTES) this.#ascii(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('base64'))
    else this.#base64(bytes, start, end)
    this.byte(QUOTE)
  }

  /** UTF-8 as a JSON string, escaped as v0.6 does. */
  text(bytes: Uint8Array, start: number, end: number): void {
    if (!isPlain(bytes, start, end)) {
      this.raw(Buffer.from(goString(goUtf8(bytes.subarray(start, end)))))
      return
    }
    this.byte(QUOTE)
    this.#reserve(end - start)
    const buffer = this.#buffer
    let to = this.#length
    for (let at = start; at < end; at += 1) buffer[to++] = bytes[at] ?? 0
    this.#length = to
    this.byte(QUOTE)
  }

  /** What was written since, and begins anew. The result is the caller's own. */
  finish(): Buffer {
    const written = Buffer.from(this.#buffer.subarray(0, this.#length))
    this.reset()
    return written
  }

  /** Drops what was written since. */
  reset(): void {
    this.#length = 0
    if (this.#buffer.length > KEPT_SIZE) this.#buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)
  }

  #ascii(text: string): void {
    this.#reserve(text.length)
    if (text.length > 24) {
      this.#buffer.write(text, this.#length, 'latin1')
      this.#length += text.length
      return
    }
    for (let index = 0; index < text.length; index += 1) this.#buffer[this.#length++] = text.charCodeAt(index)
  }

  #base64(bytes: Uint8Array, start: number, end: number): void {
    const buffer = this.#buffer
    let to = this.#length
    let at = start
    for (; at + 2 < end; at += 3) {
      const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
      buffer[to] = ALPHABET[bits >>> 18] ?? 0
      buffer[to + 1] = ALPHABET[(bits >>> 12) & 63] ?? 0
      buffer[to + 2] = ALPHABET[(bits >>> 6) & 63] ?? 0
      buffer[to + 3] = ALPHABET[bits & 63] ?? 0
      to += 4
    }
    if (at < end) {
      const first = bytes[at] ?? 0
      const second = at + 1 < end ? (bytes[at + 1] ?? 0) : 0
      buffer[to] = ALPHABET[first >>> 2] ?? 0
      buffer[to + 1] = ALPHABET[((first & 3) << 4) | (second >>> 4)] ?? 0
      buffer[to + 2] = at + 1 < end ? (ALPHABET[(second & 15) << 2] ?? 0) : PAD
      buffer[to + 3] = PAD
      to += 4
    }
    this.#length = to
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

/** Whether text can be copied as it is: printable ASCII without what Go escapes. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === 0x5c || byte === 0x3c || byte === 0x3e || byte === 0x26) return false
  }
  return true
}
