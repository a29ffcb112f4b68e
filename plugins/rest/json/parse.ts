import { goUtf8, quotedByte } from '../../../proto/index.js'

/** A JSON value as it stood: numbers as text, members in order with their repetitions. */
export type JsonValue =
  | { readonly kind: 'null' | 'true' | 'false' }
  | { readonly kind: 'number' | 'string'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly JsonValue[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: JsonValue, start: number, end: number])[] }

/** What is no JSON, in the words of Go's parser. */
export class JsonSyntaxError extends Error {
  constructor(
    message: string,
    /** True: the text ends too early. */
    readonly isTruncated = false,
  ) {
    super(message)
    this.name = 'JsonSyntaxError'
  }
}

/** Go has a bound, too. It is far beyond any request, and below what the stack holds. */
const MAX_DEPTH = 1000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const DOT = 0x2e
const COMMA = 0x2c
const COLON = 0x3a

/**
 * Parses one JSON text. With `first`, what follows the first value is ignored.
 *
 * @throws JsonSyntaxError
 */
export function parseJson(bytes: Uint8Array, { first = false } = {}): JsonValue {
  const parser = new Parser(bytes)
  const value = parser.value(0)
  if (!first) parser.end()
  return value
}

class Parser {
  #at = 0

  constructor(private readonly bytes: Uint8Array) {}

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth')
    const byte = this.#skipSpace()
    if (byte === 0x7b) return this.#object(depth)
    if (byte === 0x5b) return this.#array(depth)
    if (byte === QUOTE) return { kind: 'string', text: this.#string() }
    if (byte === 0x74) return this.#literal('true')
    if (byte === 0x66) return this.#literal('false')
    if (byte === 0x6e) return this.#literal('null')
    if (byte === MINUS || isDigit(byte)) return { kind: 'number', text: this.#number() }
    throw this.#unexpected('looking for beginning of value')
  }

  end(): void {
    if (this.#skipSpace() !== undefined) throw this.#unexpected('after top-level value')
  }

  #object(depth: number): JsonValue {
    const members: (readonly [string, JsonValue, number, number])[] = []
    this.#at += 1
    if (this.#skipSpace() === 0x7d) {
      this.#at += 1
      return { kind: 'object', members }
    }
    for (;;) {
      if (this.#skipSpace() !== QUOTE) throw this.#unexpected('looking for beginning of object key string')
      const name = this.#string()
      if (this.#skipSpace() !== COLON) throw this.#unexpected('after object key')
      this.#at += 1
      this.#skipSpace()
      const start = this.#at
      const value = this.value(depth + 1)
      members.push([name, value, start, this.#at])
      const next = this.#skipSpace()
      if (next !== COMMA && next !== 0x7d) throw this.#unexpected('after object key:value pair')
      this.#at += 1
      if (next === 0x7d) return { kind: 'object', members }
    }
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = []
    this.#at += 1
    if (this.#skipSpace() === 0x5d) {
      this.#at += 1
      return { kind: 'array', items }
    }
    for (;;) {
      items.push(this.value(depth + 1))
      const next = this.#skipSpace()
      if (next !== COMMA && next !== 0x5d) throw this.#unexpected('after array element')
      this.#at += 1
      if (next === 0x5d) return { kind: 'array', items }
    }
  }

  /** The text of a string; stands after its closing quote then. */
  #string(): string {
    this.#at += 1
    let text = ''
    let start = this.#at
    for (;;) {
      const byte = this.#here()
      if (byte === QUOTE) {
        text += this.#text(start)
        this.#at += 1
        return text
      }
      if (byte !== undefined && byte < 0x20) throw this.#unexpected('in string literal')
      if (byte === BACKSLASH) {
        text += this.#text(start) + this.#escape()
        start = this.#at
        continue
      }
      if (byte === undefined) throw this.#unexpected('')
      this.#at += 1
    }
  }

  #escape(): string {
    this.#at += 1
    const byte = this.#here()
    if (byte === 0x75) {
      const high = this.#hex()
      if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high)
      const rest = this.#at
      if (high < 0xdc00 && this.#here() === BACKSLASH && this.bytes[this.#at + 1] === 0x75) {
        this.#at += 1
        const low = this.#hex()
        if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(high, low)
        this.#at = rest
      }
      return '\ufffd'
    }
    const character = byte === undefined ? undefined : ESCAPES[byte]
    if (character === undefined) throw this.#unexpected('in string escape code')
    this.#at += 1
    return character
  }

  /** Four hexadecimal digits after the `u`. */
  #hex(): number {
    let code = 0
    for (let digit = 0; digit < 4; digit += 1) {
      this.#at += 1
      const byte = this.#here()
      const value = byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16)
      if (Number.isNaN(value)) throw this.#unexpected('in \\u hexadecimal character escape')
      code = code * 16 + value
    }
    this.#at += 1
    return code
  }

  #number(): string {
    const start = this.#at
    if (this.#here() === MINUS) this.#at += 1
    if (this.#here() === 0x30) this.#at += 1
    else this.#digits('in numeric literal')
    if (this.#here() === DOT) {
      this.#at += 1
      this.#digits('after decimal point in numeric literal')
    }
    const exponent = this.#here()
    if (exponent === 0x65 || exponent === 0x45) {
      this.#at += 1
      const sign = this.#here()
      if (sign === MINUS || sign === 0x2b) this.#at += 1
      this.#digits('in exponent of numeric literal')
    }
    return this.#text(start)
  }

  /** One digit or more. */
  #digits(where: string): void {
    if (!isDigit(this.#here())) throw this.#unexpected(where)
    while (isDigit(this.#here())) this.#at += 1
  }

  #literal(word: 'true' | 'false' | 'null'): JsonValue {
    for (let index = 0; index < word.length; index += 1) {
      if (this.#here() !== word.charCodeAt(index)) throw this.#unexpected(`in literal ${word} (expecting '${word[index] ?? ''}')`)
      this.#at += 1
    }
    return { kind: word }
  }

  #text(start: number): string {
    return goUtf8(this.bytes.subarray(start, this.#at))
  }

  #here(): number | undefined {
    return this.bytes[this.#at]
  }

  #skipSpace(): number | undefined {
    for (;;) {
      const byte = this.#here()
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte
      this.#at += 1
    }
  }

  #unexpected(where: string): JsonSyntaxError {
    const byte = this.#here()
    if (byte === undefined) return new JsonSyntaxError('unexpected end of JSON input', true)
    return new JsonSyntaxError(`invalid character ${quotedByte(byte)} ${where}`)
  }
}

const ESCAPES: Readonly<Record<number, string>> = {
  0x22: '"',
  0x5c: '\\',
  0x2f: '/',
  0x62: '\b',
  0x66: '\f',
  0x6e: '\n',
  0x72: '\r',
  0x74: '\t',
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
