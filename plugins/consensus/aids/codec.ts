import type { EngineRequest } from '../engine/engine.js'
import { type MessageReader, MessageWriter, readMessage } from './message-codec.js'

/** How values of a type become bytes, and hostile bytes values: for the messages, records and metadata of engines. `codec` has the parts. */
export interface Codec<T> {
  write(writer: MessageWriter, value: T): void
  read(reader: MessageReader): T
  /** The value alone, as bytes. */
  encode(this: void, value: T): Uint8Array
  /** What `encode` made; undefined for nothing and for other bytes. Byte strings and requests in it are views of the bytes. */
  decode(this: void, bytes: Uint8Array | undefined): T | undefined
}

/** The type of a codec's values. */
export type CodecValue<C> = C extends Codec<infer T> ? T : never

/** Codecs by the name of their field. */
export type CodecFields = Readonly<Record<string, Codec<unknown>>>

/** An object of these fields. */
export type Fields<F extends CodecFields> = { readonly [N in keyof F]: CodecValue<F[N]> }

/** One of several kinds of objects, told apart by the field `Tag`. */
export type OneOf<Tag extends string, K extends Readonly<Record<string, CodecFields>>> = {
  readonly [N in keyof K]: { readonly [T in Tag]: N } & Fields<K[N]>
}[keyof K]

type Values = Readonly<Record<string, unknown>>

function codecOf<T>(write: (writer: MessageWriter, value: T) => unknown, read: (reader: MessageReader) => T): Codec<T> {
  return {
    write: (writer, value) => void write(writer, value),
    read,
    encode(value) {
      const writer = new MessageWriter()
      write(writer, value)
      return writer.end()
    },
    decode: (bytes) => bytes && readMessage(bytes, read),
  }
}

// The types of what is read follow from the fields; inside all fields are alike.
function struct<F extends CodecFields>(fields: F): Codec<Fields<F>>
function struct(fields: CodecFields): Codec<Values> {
  const inOrder = Object.entries(fields)
  return codecOf(
    (writer, value) => {
      for (const [name, field] of inOrder) field.write(writer, value[name])
    },
    (reader) => Object.fromEntries(inOrder.map(([name, field]) => [name, field.read(reader)])),
  )
}

function oneOf<Tag extends string, K extends Readonly<Record<string, CodecFields>>>(tag: Tag, kinds: K): Codec<OneOf<Tag, K>>
function oneOf(tag: string, kinds: Readonly<Record<string, CodecFields>>): Codec<Values> {
  const inOrder = Object.entries(kinds).map(([kind, fields]) => ({ kind, fields: struct(fields) }))
  return codecOf(
    (writer, value) => {
      const place = inOrder.findIndex(({ kind }) => kind === value[tag])
      inOrder[place]?.fields.write(writer.number(place), value)
    },
    (reader) => {
      const { kind, fields } = inOrder[reader.number()] ?? reader.refuse()
      return { [tag]: kind, ...fields.read(reader) }
    },
  )
}

/**
 * The parts of codecs. What is read has the very type that was written; numbers are whole, from 0 to 2^47.
 *
 * @example
 * const vote = codec.struct({ view: codec.number, signature: codec.bytes })
 * const message = codec.oneOf('type', { vote: { vote }, ask: { from: codec.number }, blocks: { blocks: codec.list(codec.bytes) } })
 * type Message = CodecValue<typeof message>
 * host.broadcast(message.encode({ type: 'ask', from: 7 }))
 */
export const codec = Object.freeze({
  number: codecOf<number>(
    (writer, value) => writer.number(value),
    (reader) => reader.number(),
  ),
  /** A height, or the number of a block. */
  bigint: codecOf<bigint>(
    (writer, value) => writer.number(Number(value)),
    (reader) => BigInt(reader.number()),
  ),
  flag: codecOf<boolean>(
    (writer, value) => writer.number(Number(value)),
    (reader) => reader.number() === 1,
  ),
  bytes: codecOf<Uint8Array>(
    (writer, value) => writer.bytes(value),
    (reader) => reader.bytes(),
  ),
  /** Bytes that are known by their lower-case hexadecimal digits. */
  hex: codecOf<string>(
    (writer, value) => writer.bytes(Buffer.from(value, 'hex')),
    (reader) => Buffer.from(reader.bytes()).toString('hex'),
  ),
  /** Written without their ids, which whoever reads computes. */
  requests: codecOf<readonly EngineRequest[]>(
    (writer, value) => writer.requests(value),
    (reader) => reader.requests(),
  ),
  list: <T>(item: Codec<T>): Codec<readonly T[]> =>
    codecOf(
      (writer, value) => writer.list(value, (one) => item.write(writer, one)),
      (reader) => reader.list(() => item.read(reader)),
    ),
  /** The fields one after the other, in the order of their declaration. */
  struct,
  /** A number for the kind, by the order of declaration, and its fields. */
  oneOf,
  /** Values of another shape: `decoded` makes them of what was read, or refuses it with undefined; `encoded` is the way back. */
  map: <T, U>(of: Codec<T>, decoded: (value: T) => U | undefined, encoded: (value: U) => T): Codec<U> =>
    codecOf(
      (writer, value) => of.write(writer, encoded(value)),
      (reader) => decoded(of.read(reader)) ?? reader.refuse(),
    ),
})
