import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { Cursor } from './cursor.js'
import { isCanonical } from './scan.js'
import { type FieldSchema, LENGTH_DELIMITED, type MessageSchema, schemaOf } from './schema.js'

/** All occurrences of one field. A singular varint keeps the last value in `low` and `high`; anything else keeps its contents. */
interface Slot {
  readonly field: FieldSchema
  low: number
  high: number
  contents: Uint8Array[]
}

const BLOCK = schemaOf('protos.Block')
const TRANSACTION = schemaOf('protos.Transaction')
const BLOCK_NON_HASH_DATA = 7
const TRANSACTION_TXID = 5

/**
 * What v0.6 gets when it decodes a message and encodes it again: unknown fields dropped, fields in ascending order, minimal varints,
 * defaults left out, duplicates merged (spec/ledger.md §2.2). Works on the wire form, so text that is not UTF-8 survives.
 * Returns `bytes` itself, not a copy, when they are canonical already.
 *
 * @throws WireError if v0.6 would refuse the bytes
 */
export function canonicalise(schema: MessageSchema, bytes: Uint8Array): Uint8Array {
  if (isCanonical(bytes, schema)) return bytes
  const writer = new BinaryWriter()
  rewrite([bytes], schema, writer)
  return writer.finish()
}

/** The canonical form of a serialised `protos.Block`. See {@link canonicalise}. */
export function canonicalBlock(bytes: Uint8Array): Uint8Array {
  return canonicalise(BLOCK, bytes)
}

/** The canonical form of a serialised `protos.Transaction`. See {@link canonicalise}. */
export function canonicalTransaction(bytes: Uint8Array): Uint8Array {
  return canonicalise(TRANSACTION, bytes)
}

/** The canonical form of a serialised message of any type. See {@link canonicalise}. */
export function canonicalBytes(type: { readonly $type: string }, bytes: Uint8Array): Uint8Array {
  return canonicalise(schemaOf(type.$type), bytes)
}

/** The txid of a canonical transaction as it stands on the wire: it need not be UTF-8. A view of `canonical`; empty if there is none. */
export function transactionIdBytes(canonical: Uint8Array): Uint8Array {
  const cursor = new Cursor(canonical)
  while (cursor.position < cursor.limit) {
    const number = cursor.fieldNumber()
    const wireType = cursor.low & 7
    if (number === TRANSACTION_TXID) {
      const end = cursor.lengthDelimitedEnd()
      return canonical.subarray(cursor.position, end)
    }
    cursor.skip(wireType)
  }
  return canonical.subarray(0, 0)
}

/** The bytes whose hash is the block hash: the canonical block without nonHashData (spec/ledger.md §3.1). May be a view of `bytes`. Throws WireError. */
export function blockHashInput(bytes: Uint8Array): Uint8Array {
  return cutField(canonicalBlock(bytes), BLOCK_NON_HASH_DATA)
}

/**
 * The canonical form of a serialised message with one field absent: what is signed when the signature is a field of the message itself
 * (spec/wire.md §12: Transaction 12, view_change 7). May be a view of `bytes`. Throws WireError.
 */
export function canonicalWithout(type: { readonly $type: string }, bytes: Uint8Array, fieldNumber: number): Uint8Array {
  return cutField(canonicalise(schemaOf(type.$type), bytes), fieldNumber)
}

/** Cuts a field out of canonical bytes, in which all its occurrences stand together. */
function cutField(canonical: Uint8Array, fieldNumber: number): Uint8Array {
  const cursor = new Cursor(canonical)
  let from = canonical.length
  let to = canonical.length
  while (cursor.position < cursor.limit) {
    const start = cursor.position
    const number = cursor.fieldNumber()
    cursor.skip(cursor.low & 7)
    if (number < fieldNumber) continue
    if (number > fieldNumber) {
      to = start
      break
    }
    from = Math.min(from, start)
  }
  if (from >= to) return canonical
  if (to === canonical.length) return canonical.subarray(0, from)
  const rest = new Uint8Array(from + canonical.length - to)
  rest.set(canonical.subarray(0, from))
  rest.set(canonical.subarray(to), from)
  return rest
}

/** Writes the canonical form of the merger of `parts`, each of which the scan has accepted: in protobuf, messages merge by concatenation. */
function rewrite(parts: readonly Uint8Array[], schema: MessageSchema, writer: BinaryWriter): void {
  const slots: (Slot | undefined)[] = []
  for (const part of parts) collect(part, schema, slots)
  for (const slot of slots) if (slot) writeSlot(slot, writer)
}

function collect(bytes: Uint8Array, schema: MessageSchema, slots: (Slot | undefined)[]): void {
  const cursor = new Cursor(bytes)
  while (cursor.position < cursor.limit) {
    const number = cursor.fieldNumber()
    const wireType = cursor.low & 7
    const field = schema.fields[number]
    if (!field) {
      cursor.skip(wireType)
      continue
    }
    // The last member of a oneof replaces every earlier one, also an earlier value of itself.
    if (field.oneof !== undefined) dropOneof(slots, field.oneof)
    const slot = (slots[number] ??= { field, low: 0, high: 0, contents: [] })
    if (wireType !== LENGTH_DELIMITED) {
      cursor.varint()
      slot.low = cursor.low
      slot.high = cursor.high
      continue
    }
    const end = cursor.lengthDelimitedEnd()
    if (!field.isRepeated && !field.message) slot.contents = []
    slot.contents.push(bytes.subarray(cursor.position, end))
    cursor.position = end
  }
}

function dropOneof(slots: (Slot | undefined)[], oneof: number): void {
  for (const [number, slot] of slots.entries()) if (slot?.field.oneof === oneof) slots[number] = undefined
}

function writeSlot({ field, low, high, contents }: Slot, writer: BinaryWriter): void {
  const tag = (field.number << 3) | field.wireType
  if (field.wireType !== LENGTH_DELIMITED) {
    writeVarint(field, low, high, writer)
    return
  }
  if (!field.message) {
    for (const content of contents) if (field.keepsDefault || content.length > 0) writer.uint32(tag).bytes(content)
    return
  }
  const elements = field.isRepeated ? contents.map((content) => [content]) : [contents]
  for (const parts of elements) {
    writer.uint32(tag).fork()
    rewrite(parts, field.message, writer)
    writer.join()
  }
}

function writeVarint(field: FieldSchema, low: number, high: number, writer: BinaryWriter): void {
  const tag = (field.number << 3) | field.wireType
  const isWide = field.kind === 'uint64' || field.kind === 'int64' || field.kind === 'bool'
  const isDefault = low === 0 && (high === 0 || !isWide)
  if (isDefault && !field.keepsDefault) return
  writer.uint32(tag)
  if (field.kind === 'uint32') writer.uint32(low)
  else if (field.kind === 'int32' || field.kind === 'enum') writer.int32(low | 0)
  else if (field.kind === 'bool') writer.bool(!isDefault)
  else writer.uint64((BigInt(high) << 32n) | BigInt(low))
}
