import { TableError, TableNotFoundError } from './errors.js'
import { COLUMN_TYPES, decodeDefinition, decodeRow, encodeDefinition, encodeRow, fits, rowKey, rowRange, tableKey } from './table-codec.js'
import type { Bytes, Column, ColumnDefinition, Key, RangeEntry } from './types.js'

/** What tables are made of. */
export interface RowState {
  getState(key: Key): Promise<Bytes | undefined>
  putState(key: Key, value: Bytes): Promise<void>
  deleteState(key: Key): Promise<void>
  getStateByRange(start: Key, end: Key): AsyncIterable<RangeEntry>
}

type Cells = readonly (Column | undefined)[]

/** v0.6's tables: a convention on top of plain state, byte for byte (spec/chaincode.md §18). */
export class RowStore {
  readonly #state: RowState

  constructor(state: RowState) {
    this.#state = state
  }

  async create(name: string, columns: readonly ColumnDefinition[]): Promise<void> {
    if (!(await this.createIfAbsent(name, columns))) throw new TableError(`CreateTable operation failed. Table ${name} already exists.`)
  }

  /** False if the table exists. */
  async createIfAbsent(name: string, columns: readonly ColumnDefinition[]): Promise<boolean> {
    const key = tableKey(name)
    if ((await this.#state.getState(key)) !== undefined) return false
    assertDefinition(columns)
    await this.#state.putState(key, encodeDefinition(name, columns))
    return true
  }

  async definition(name: string): Promise<ColumnDefinition[]> {
    const stored = await this.#state.getState(tableKey(name))
    if (stored === undefined) throw new TableNotFoundError(name)
    return decodeDefinition(stored)
  }

  /** Deletes all rows and the definition. */
  async drop(name: string): Promise<void> {
    const key = tableKey(name)
    const { start, end } = rowRange(key)
    for await (const row of this.#state.getStateByRange(start, end)) await this.#state.deleteState(row.key)
    await this.#state.deleteState(key)
  }

  async insert(table: string, row: Cells): Promise<boolean> {
    return this.#write(table, row, false)
  }

  async replace(table: string, row: Cells): Promise<boolean> {
    return this.#write(table, row, true)
  }

  async get(table: string, key: Cells): Promise<(Column | undefined)[] | undefined> {
    const stored = await this.#state.getState(rowKey(table, key))
    return stored === undefined ? undefined : decodeRow(stored)
  }

  async *rows(table: string, key: Cells): AsyncGenerator<(Column | undefined)[], void, undefined> {
    const columns = await this.definition(table)
    if (columns.length === 1 && key.length > 0) {
      const row = await this.get(table, key)
      if (row !== undefined) yield row
      return
    }
    const { start, end } = rowRange(rowKey(table, key))
    for await (const { value } of this.#state.getStateByRange(start, end)) yield decodeRow(value)
  }

  async delete(table: string, key: Cells): Promise<void> {
    await this.#state.deleteState(rowKey(table, key))
  }

  async #write(table: string, row: Cells, mustExist: boolean): Promise<boolean> {
    const columns = await this.definition(table)
    const key = rowKey(table, keyCells(table, columns, row))
    const exists = (await this.#state.getState(key)) !== undefined
    if (exists !== mustExist) return false
    await this.#state.putState(key, encodeRow(row))
    return true
  }
}

/** The key columns of a row that fits its table, in definition order. */
function keyCells(table: string, columns: readonly ColumnDefinition[], row: Cells): Cells {
  if (row.length !== columns.length) throw new TableError(`Table '${table}' defines ${columns.length} columns, but row has ${row.length} columns.`)
  return columns.flatMap(({ name, type, key }, index) => {
    const cell = row[index]
    if (cell === undefined || cell.type !== type || !fits(cell)) {
      throw new TableError(`The type for table '${table}', column '${name}' is '${type.toUpperCase()}', but the column in the row does not match.`)
    }
    return key === true ? [cell] : []
  })
}

function assertDefinition(columns: readonly ColumnDefinition[]): void {
  if (columns.length === 0) throw new TableError('Invalid column definitions. Tables must contain at least one column.')
  const names = new Set<string>()
  for (const [index, { name, type }] of columns.entries()) {
    if (typeof name !== 'string' || name === '') throw new TableError(`Column definition ${index} is invalid. Name must be 1 or more characters.`)
    if (names.has(name)) throw new TableError(`Invalid table. Table contains duplicate column name '${name}'.`)
    if (!COLUMN_TYPES.includes(type)) throw new TableError(`Column definition ${name} does not have a valid type.`)
    names.add(name)
  }
  if (!columns.some(({ key }) => key === true)) throw new TableError('Inavlid table. One or more columns must be a key.')
}
