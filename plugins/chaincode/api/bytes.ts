const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Up to here a loop over ASCII is several times faster than the platform's encoder; keys and arguments are mostly such. */
const SHORT = 48

/** The UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  if (text.length > SHORT) return encoder.encode(text)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return encoder.encode(text)
    bytes[i] = code
  }
  return bytes
}

/** Bytes as text; what is not UTF-8 shows U+FFFD. */
export function text(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return decoder.decode(bytes)
  let short = ''
  for (const byte of bytes) {
    if (byte >= 0x80) return decoder.decode(bytes)
    short += String.fromCharCode(byte)
  }
  return short
}

/** A string's UTF-8 bytes, or a copy of the bytes: what the caller does to its array later changes nothing. */
export function ownBytes(value: string | Uint8Array, what: string): Uint8Array {
  if (typeof value === 'string') return utf8(value)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new TypeError(`${what} must be a string or a Uint8Array, found ${typeOf(value)}`)
}

/** Compares as unsigned bytes; a prefix comes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let i = 0; i < length; i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Same bytes. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compareBytes(left, right) === 0
}

/** All parts, one after another. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** What kind of thing a value is, for error messages. */
export function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}
