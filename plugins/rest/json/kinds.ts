import type { JsonValue } from './parse.js'
import { type Field, type Fields, type JsonSchema, type Reader, foundIn } from './fields.js'

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const INT32 = { min: -(2n ** 31n), max: 2n ** 31n - 1n }
const BYTE = { min: 0n, max: 255n }

/** A string; null leaves what was there, or takes it away where Go has a pointer. */
export function stringField(set: (text: string | undefined) => void, schema: JsonSchema = {}, { pointer = false } = {}): Field {
  return {
    schema: { type: 'string', ...schema },
    read(value, reader) {
      if (value.kind === 'string') set(value.text)
      else if (value.kind !== 'null') reader.mismatch(foundIn(value), 'string')
      else if (pointer) set(undefined)
    },
  }
}

/** A whole number of 32 bits. */
export function int32Field(goType: string, set: (number: number) => void, schema: JsonSchema = {}): Field {
  return {
    schema: { type: 'integer', format: 'int32', ...schema },
    read(value, reader) {
      if (value.kind === 'null') return
      if (value.kind !== 'number') return reader.mismatch(foundIn(value), goType)
      const number = integerIn(value.text, INT32)
      if (number === undefined) reader.mismatch(`number ${value.text}`, goType)
      else set(Number(number))
    },
  }
}

/** A list of strings. */
export function stringsField(set: (texts: string[]) => void, schema: JsonSchema = {}): Field {
  return {
    schema: { type: 'array', items: { type: 'string' }, ...schema },
    read(value, reader) {
      if (value.kind === 'null') return set([])
      if (value.kind !== 'array') return reader.mismatch(foundIn(value), '[]string')
      set(
        value.items.map((item) => {
          if (item.kind === 'string') return item.text
          if (item.kind !== 'null') reader.mismatch(foundIn(item), 'string')
          return ''
        }),
      )
    },
  }
}

/** Bytes: base64 with padding, or a list of numbers. */
export function bytesField(set: (bytes: Uint8Array) => void, schema: JsonSchema = {}): Field {
  return {
    schema: { type: 'string', contentEncoding: 'base64', ...schema },
    read(value, reader) {
      if (value.kind === 'null') return set(new Uint8Array(0))
      if (value.kind === 'string') return readBase64(value.text, reader, set)
      if (value.kind !== 'array') return reader.mismatch(foundIn(value), '[]uint8')
      set(Uint8Array.from(value.items, (item) => byteIn(item, reader)))
    },
  }
}

/** An object inside an object: made when it first occurs, and filled further when it occurs again. */
export function objectField(struct: string, goType: string, open: () => Fields, clear: () => void, schema: JsonSchema = {}): Field {
  return {
    get schema() {
      return { ...objectSchema(open()), ...schema }
    },
    read(value, reader) {
      if (value.kind === 'null') return clear()
      reader.object(value, struct, goType, open())
    },
  }
}

/** The JSON Schema of an object with these members. */
export function objectSchema(fields: Fields, required: readonly string[] = []): JsonSchema {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
}

/** A JSON number as a whole one of 64 bits, as Go reads it: digits alone, no exponent. */
export function int64Of(value: JsonValue): bigint | undefined {
  return value.kind === 'number' ? integerIn(value.text, INT64) : undefined
}

function integerIn(text: string, { min, max }: { readonly min: bigint; readonly max: bigint }): bigint | undefined {
  // Longer ones cannot fit, and reading them would cost the square of their length.
  if (!/^-?\d{1,20}$/.test(text)) return undefined
  const number = BigInt(text)
  return number >= min && number <= max ? number : undefined
}

function byteIn(item: JsonValue, reader: Reader): number {
  if (item.kind === 'null') return 0
  if (item.kind !== 'number') {
    reader.mismatch(foundIn(item), 'uint8')
    return 0
  }
  const byte = integerIn(item.text, BYTE)
  if (byte === undefined) reader.mismatch(`number ${item.text}`, 'uint8')
  return Number(byte ?? 0n)
}

function readBase64(text: string, reader: Reader, set: (bytes: Uint8Array) => void): void {
  const line = text.replace(/[\r\n]/g, '')
  const wrong = line.search(/[^A-Za-z0-9+/]/)
  const end = wrong < 0 ? line.length : wrong
  const padding = line.slice(end)
  const isPadded = (end + padding.length) % 4 === 0 && (padding === '' || (padding === '=' && end % 4 === 3) || (padding === '==' && end % 4 === 2))
  if (isPadded) set(new Uint8Array(Buffer.from(line, 'base64')))
  else reader.fail(`illegal base64 data at input byte ${padding === '' ? end - (end % 4) : end}`)
}
