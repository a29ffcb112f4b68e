import { Cursor } from './cursor.js'
import type { FieldKind } from './schema-rows.js'
import { type FieldSchema, LENGTH_DELIMITED, type MessageSchema } from './schema.js'
import { WireError } from './wire-error.js'

const INT32_SIGN = 0x80000000
const ALL_ONES = 0xffffffff

/**
 * Walks a whole message without decoding values: throws if v0.6 would refuse it, else tells whether it is already in
 * canonical form (spec/ledger.md §2.2). Cost grows with the number of fields, not with the size of their contents.
 *
 * @throws WireError whose message names the message type
 */
export function isCanonical(bytes: Uint8Array, schema: MessageSchema): boolean {
  return scanMessage(new Cursor(bytes), schema)
}

function scanMessage(cursor: Cursor, schema: MessageSchema): boolean {
  let canonical = true
  let previousNumber = 0
  let seenOneofs = 0
  while (cursor.position < cursor.limit) {
    const start = cursor.position
    const number = cursor.fieldNumber()
    const wireType = cursor.low & 7
    const field = schema.fields[number]
    if (!field) {
      if (schema.isClosed) throw new WireError('ERR_WIRE_TAG', `${schema.name} holds field ${number} at byte ${start}, which it may not`)
      cursor.skip(wireType)
      canonical = false
      continue
    }
    if (wireType !== field.wireType) {
      throw new WireError('ERR_WIRE_TYPE', `${schema.name} field ${number} at byte ${start} has wire type ${wireType}, expected ${field.wireType}`)
    }
    if (!cursor.isMinimal || number < previousNumber || (number === previousNumber && !field.isRepeated)) canonical = false
    if (field.oneof !== undefined) {
      const bit = 1 << field.oneof
      if (seenOneofs & bit) canonical = false
      seenOneofs |= bit
    }
    previousNumber = number
    if (!scanValue(cursor, field)) canonical = false
  }
  return canonical
}

function scanValue(cursor: Cursor, field: FieldSchema): boolean {
  if (field.wireType !== LENGTH_DELIMITED) {
    cursor.varint()
    const isDefault = cursor.low === 0 && cursor.high === 0
    return cursor.isMinimal && (field.keepsDefault || !isDefault) && isVarintInRange(field.kind, cursor.low, cursor.high)
  }
  const end = cursor.lengthDelimitedEnd()
  const isLengthMinimal = cursor.isMinimal
  if (!field.message) {
    const isDefault = cursor.position === end
    cursor.position = end
    return isLengthMinimal && (field.keepsDefault || !isDefault)
  }
  const outerLimit = cursor.limit
  cursor.limit = end
  const isContentCanonical = scanMessage(cursor, field.message)
  cursor.limit = outerLimit
  return isLengthMinimal && isContentCanonical
}

/** Whether decoding the 64 bits into the kind and encoding again gives the same 64 bits. */
function isVarintInRange(kind: FieldKind, low: number, high: number): boolean {
  if (kind === 'uint32') return high === 0
  if (kind === 'int32' || kind === 'enum') return high === (low >= INT32_SIGN ? ALL_ONES : 0)
  if (kind === 'bool') return high === 0 && low <= 1
  return true
}
