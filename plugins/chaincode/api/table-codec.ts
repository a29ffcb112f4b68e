import { table } from '../../../proto/messages.js'
import { concatBytes, typeOf, utf8 } from './bytes.js'
import { TableError } from './errors.js'
import type { Column, ColumnDefinition, ColumnType } from './types.js'

/** Numbers of the column types on the wire (spec/chaincode.md §18.1). */
const TYPE_NUMBERS: Readonly<Record<ColumnType, table.ColumnDefinition_Type>> = {
  string: table.ColumnDefinition_Type.STRING,
  int32: table.ColumnDefinition_Type.INT32,
  int64: table.ColumnDefinition_Type.INT64,
  uint32: table.ColumnDefinition_Type.UINT32,
  uint64: table.ColumnDefinition_Type.UINT64,
  bytes: table.ColumnDefinition_Type.BYTES,
  bool: table.ColumnDefinition_Type.BOOL,
}

/** All column types, in the order of their numbers. */
export const COLUMN_TYPES: readonly ColumnType[] = ['string', 'int32', 'int64', 'uint32', 'uint64', 'bytes', 'bool']

const INTEGER_BOUNDS = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const

/** Key of a table's definition: byte length of the name in decimal digits, then the name. */
export function tableKey(name: string): Uint8Array {
  if (name === '') throw new TableError('Inavlid table name. Table name must be 1 or more characters.')
  return lengthPrefixed(utf8(name))
}

/** Key of a row, or the prefix of keys for leading key columns. A column without a value counts as empty. */
export function rowKey(tableName: string, key: readonly (Column | undefined)[]): Uint8Array {
  return concatBytes(tableKey(tableName), ...key.map((column) => lengthPrefixed(keyText(column))))
}

/** Both inclusive bounds of the rows below a key: what follows must begin with a length digit 1 to 9. */
export function rowRange(prefix: Uint8Array): { start: Uint8Array; end: Uint8Array } {
  return { start: concatBytes(prefix, utf8('1')), end: concatBytes(prefix, utf8(':')) }
}

/** The stored form of a definition. */
export function encodeDefinition(name: string, columns: readonly ColumnDefinition[]): Uint8Array {
  const columnDefinitions = columns.map((column) => ({
    name: column.name,
    type: TYPE_NUMBERS[column.type],
    key: column.key === true,
  }))
  return table.Table.encode({ name, columnDefinitions }).finish()
}

/** Reads a stored definition. Throws TableError for an unknown column type. */
export function decodeDefinition(bytes: Uint8Array): ColumnDefinition[] {
  return table.Table.decode(bytes).columnDefinitions.map(({ name, type, key }) => {
    const known = COLUMN_TYPES.find((name) => TYPE_NUMBERS[name] === type)
    if (known === undefined) throw new TableError(`Column '${name}' has the unknown type ${String(type)}.`)
    return { name, type: known, key }
  })
}

/** The stored form of a row. Zero values are written: each column is a oneof. */
export function encodeRow(row: readonly (Column | undefined)[]): Uint8Array {
  return table.Row.encode({ columns: row.map(toMessage) }).finish()
}

/** Reads a stored row. */
export function decodeRow(bytes: Uint8Array): (Column | undefined)[] {
  return table.Row.decode(bytes).columns.map(fromMessage)
}

/** True if a value fits its column type; values come from untyped code too. */
export function fits(column: Column): boolean {
  const value: unknown = column.value
  switch (column.type) {
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Uint8Array
    case 'bool':
      return typeof value === 'boolean'
    case 'int32':
    case 'uint32':
      return typeof value === 'number' && Number.isInteger(value) && within(column.type, BigInt(value))
    case 'int64':
    case 'uint64':
      return typeof value === 'bigint' && within(column.type, value)
    default:
      return false
  }
}

function within(type: keyof typeof INTEGER_BOUNDS, value: bigint): boolean {
  const [least, greatest] = INTEGER_BOUNDS[type]
  return value >= least && value <= greatest
}

function keyText(column: Column | undefined): Uint8Array {
  if (column === undefined) return new Uint8Array(0)
  if (!fits(column)) throw new TableError(`A key column of type ${column.type} has a value of type ${typeOf(column.value)} that does not fit.`)
  return column.type === 'bytes' ? column.value : utf8(String(column.value))
}

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  return concatBytes(utf8(String(bytes.length)), bytes)
}

function toMessage(column: Column | undefined): table.Column {
  if (column === undefined) return { value: undefined }
  switch (column.type) {
    case 'string':
      return { value: { $case: 'string', value: column.value } }
    case 'int32':
      return { value: { $case: 'int32', value: column.value } }
    case 'int64':
      return { value: { $case: 'int64', value: column.value } }
    case 'uint32':
      return { value: { $case: 'uint32', value: column.value } }
    case 'uint64':
      return { value: { $case: 'uint64', value: column.value } }
    case 'bytes':
      return { value: { $case: 'bytes', value: column.value } }
    case 'bool':
      return { value: { $case: 'bool', value: column.value } }
    default:
      return unknownColumn(column)
  }
}

function fromMessage({ value }: table.Column): Column | undefined {
  switch (value?.$case) {
    case undefined:
      return undefined
    case 'string':
      return { type: 'string', value: value.value }
    case 'int32':
      return { type: 'int32', value: value.value }
    case 'int64':
      return { type: 'int64', value: value.value }
    case 'uint32':
      return { type: 'uint32', value: value.value }
    case 'uint64':
      return { type: 'uint64', value: value.value }
    case 'bytes':
      return { type: 'bytes', value: new Uint8Array(value.value) }
    case 'bool':
      return { type: 'bool', value: value.value }
    default:
      return unknownColumn(value)
  }
}

/** The compiler knows that this is never reached; rows may come from code that it has not seen. */
function unknownColumn(column: never): never {
  throw new TableError(`A column is of an unknown type: ${JSON.stringify(column)}`)
}
