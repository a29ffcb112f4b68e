import { Buffer } from 'node:buffer'
import type { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { canonicalise } from './canonical.js'
import { LENGTH_DELIMITED, schemaOf } from './schema.js'
import { WireError } from './wire-error.js'
import { WireReader } from './wire-reader.js'
import { WireWriter } from './wire-writer.js'

/** A generated message type: the value of the same name as the message's interface. */
export interface MessageType<T> {
  readonly $type: string
  encode(message: T, writer?: BinaryWriter): BinaryWriter
  decode(input: BinaryReader | Uint8Array, length?: number): T
}

// A writer grows its buffer once and keeps it: sharing one makes encoding several times faster. finish() copies and resets.
let sharedWriter = new WireWriter()
const sharedReader = new WireReader()
const NOTHING = new Uint8Array(0)

/**
 * Serialises a message as v0.6 does: ascending field numbers, defaults left out. The result is the caller's own; short
 * ones lie in memory that they share (`byteOffset`).
 *
 * @throws WireError ERR_WIRE_ENCODE if a value does not fit its field, e.g. a negative uint64
 */
export function encode<T>(type: MessageType<T>, message: T): Uint8Array {
  return written(type, (writer) => type.encode(message, writer))
}

/** Serialises a message as the one field, of that number, of another message. Throws as {@link encode} does. */
export function encodeWithin<T>(fieldNumber: number, type: MessageType<T>, message: T): Uint8Array {
  return written(type, (writer) => type.encode(message, writer.uint32((fieldNumber << 3) | LENGTH_DELIMITED).fork()).join())
}

function written(type: { readonly $type: string }, write: (writer: WireWriter) => BinaryWriter): Uint8Array {
  try {
    return write(sharedWriter).finish()
  } catch (cause) {
    // The writer holds half a message, which would be written before the next one.
    sharedWriter = new WireWriter()
    throw new WireError('ERR_WIRE_ENCODE', `cannot encode ${type.$type}: ${reason(cause)}`, { cause })
  }
}

/**
 * Decodes a message with the rules of v0.6 (spec/wire.md §2, spec/ledger.md §2.2): a known field of another wire type, a field number 0, a stray
 * end-group or a truncated field refuses the whole message; duplicates merge; unknown fields are dropped; enum numbers stay open.
 * `bytes` fields are views of the input: copy (`slice()`) what outlives it. `string` fields that are not UTF-8 show U+FFFD: where
 * the exact bytes count, keep the input (proto/README.md).
 *
 * @throws WireError if the bytes are not such a message
 */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array): T {
  try {
    const canonical = canonicalise(schemaOf(type.$type), plainView(bytes))
    const message = type.decode(sharedReader.of(canonical), canonical.length)
    // Not to be held until the next one comes.
    sharedReader.of(NOTHING)
    return message
  } catch (cause) {
    const code = cause instanceof WireError ? cause.code : 'ERR_WIRE_DECODE'
    throw new WireError(code, `cannot decode ${type.$type} from ${bytes.length} bytes: ${reason(cause)}`, { cause })
  }
}

/** The same bytes as a plain Uint8Array: a Buffer's `slice` does not copy, and its fields would be Buffers too. */
function plainView(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
