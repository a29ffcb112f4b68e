import { TableError } from './errors.js'
import type { RowStore } from './row-store.js'
import type { Column, ColumnDefinition, PartialKey, Row, Table, TableDefinition } from './types.js'

/** A table with its columns as TypeScript types. Throws TableError for column names whose order an object cannot keep. */
export function typedTable<D extends TableDefinition>(store: RowStore, name: string, definition: D): Table<D> {
  const columns: ColumnDefinition[] = Object.entries(definition).map(([column, { type, key }]) => {
    if (/^(0|[1-9]\d*)$/.test(column)) {
      throw new TableError(
        `Column '${column}' of table '${name}' is named like an array index: JavaScript objects reorder such names; use createTable, insertRow and getRow`,
      )
    }
    return { name: column, type, key: key === true }
  })
  const keyColumns = columns.filter(({ key }) => key === true)

  const cells = (row: Row<D>) => columns.map((column) => cell(column, row[column.name]))
  const fullKey = (key: PartialKey<D>) => {
    const values = leadingKey(key)
    if (values.length < keyColumns.length)
      throw new TableError(`The key of table '${name}' needs the columns ${keyColumns.map((column) => column.name).join(', ')}`)
    return values
  }
  const leadingKey = (key: PartialKey<D>): Column[] => {
    const given = keyColumns.map((column) => cell(column, key[column.name]))
    const missing = given.indexOf(undefined)
    const leading = missing === -1 ? given : given.slice(0, missing)
    const unused = Object.keys(key).filter((column) => key[column] !== undefined && !keyColumns.slice(0, leading.length).some((known) => known.name === column))
    if (unused.length > 0) throw new TableError(`Table '${name}' cannot look up by ${unused.join(', ')}: a key is made of the leading key columns`)
    return leading.filter((value) => value !== undefined)
  }

  return {
    create: async () => store.createIfAbsent(name, columns),
    insert: async (row) => store.insert(name, cells(row)),
    replace: async (row) => store.replace(name, cells(row)),
    delete: async (key) => store.delete(name, fullKey(key)),
    drop: async () => store.drop(name),
    async get(key) {
      const row = await store.get(name, fullKey(key))
      return row === undefined ? undefined : toObject(name, columns, row)
    },
    async *rows(key = {}) {
      for await (const row of store.rows(name, leadingKey(key))) yield toObject(name, columns, row)
    },
  }
}

/** A value with its column's type; `undefined` if it does not fit. */
function cell({ type }: ColumnDefinition, value: unknown): Column | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? { type, value } : undefined
    case 'int32':
    case 'uint32':
      return typeof value === 'number' ? { type, value } : undefined
    case 'int64':
    case 'uint64':
      return typeof value === 'bigint' ? { type, value } : undefined
    case 'bytes':
      return value instanceof Uint8Array ? { type, value } : undefined
    case 'bool':
      return typeof value === 'boolean' ? { type, value } : undefined
    default:
      return undefined
  }
}

function toObject<D extends TableDefinition>(table: string, columns: readonly ColumnDefinition[], cells: readonly (Column | undefined)[]): Row<D> {
  const row: Record<string, unknown> = Object.create(null)
  for (const [index, { name }] of columns.entries()) row[name] = cells[index]?.value
  if (cells.length !== columns.length || !isRow<D>(columns, cells, row)) {
    throw new TableError(`A stored row of table '${table}' does not fit the columns that the chaincode expects`)
  }
  return row
}

function isRow<D extends TableDefinition>(
  columns: readonly ColumnDefinition[],
  cells: readonly (Column | undefined)[],
  _row: Record<string, unknown>,
): _row is Row<D> {
  return columns.every(({ type }, index) => cells[index]?.type === type)
}
