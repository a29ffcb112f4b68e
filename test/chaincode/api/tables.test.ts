import { describe, expect, it } from 'vitest'
import type { Chaincode, ChaincodeStub, Column, ColumnDefinition } from '../../../plugins/chaincode/api/index.js'
import { createInProcessRuntime } from '../../../plugins/chaincode/api/in-process.js'
import {
  COLUMN_TYPES,
  decodeDefinition,
  decodeRow,
  encodeDefinition,
  encodeRow,
  rowKey,
  rowRange,
  tableKey,
} from '../../../plugins/chaincode/api/table-codec.js'
import { MemoryPeer } from './memory-peer.js'
import { tables, type VectorColumn } from './vectors.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const vector = tables()

describe('tables are stored byte for byte as v0.6 stores them', () => {
  for (const { description, table, keyColumns, error, stateKeyHex, rangeStartHex, rangeEndHex } of vector.keys) {
    it(`key: ${description}`, () => {
      if (error !== undefined) return expect(() => tableKey(table)).toThrow(error)
      const key = rowKey(table, keyColumns.map(columnOf))
      const { start, end } = rowRange(key)
      expect([hex(key), hex(start), hex(end)]).toEqual([stateKeyHex, rangeStartHex, rangeEndHex])
    })
  }

  for (const { description, columns, rowHex } of vector.rows) {
    it(`row: ${description}`, () => {
      const row = columns.map(columnOf)
      expect(hex(encodeRow(row))).toBe(rowHex)
      expect(decodeRow(Buffer.from(rowHex, 'hex'))).toEqual(row)
    })
  }

  for (const { description, name, columnDefinitions, stateKeyHex, stateValueHex } of vector.tables) {
    it(`definition: ${description}`, () => {
      const columns = columnDefinitions.map(definitionOf)
      expect(hex(tableKey(name))).toBe(stateKeyHex)
      expect(hex(encodeDefinition(name, columns))).toBe(stateValueHex)
      expect(decodeDefinition(Buffer.from(stateValueHex, 'hex'))).toEqual(columns)
    })
  }
})

describe('table operations', () => {
  for (const { description, table, columns, error } of vector.rows) {
    if (error === undefined || table === undefined) continue
    it(`refuse a row: ${description}`, async () => {
      const failure = await inTransaction(async (stub) => {
        await createVectorTable(stub, table)
        await stub.insertRow(table, columns.map(columnOf))
      })
      expect(failure).toBe(error)
    })
  }

  it.each([
    ['a table that exists', [['t', [{ name: 'k', type: 'string', key: true }]]], 'CreateTable operation failed. Table t already exists.'],
    ['a table without columns', [['u', []]], 'Invalid column definitions. Tables must contain at least one column.'],
    ['a table without a key', [['u', [{ name: 'k', type: 'string' }]]], 'Inavlid table. One or more columns must be a key.'],
    ['a table without a name', [['', [{ name: 'k', type: 'string', key: true }]]], 'Inavlid table name. Table name must be 1 or more characters.'],
    ['a column without a name', [['u', [{ name: '', type: 'string', key: true }]]], 'Column definition 0 is invalid. Name must be 1 or more characters.'],
  ] satisfies [string, [string, ColumnDefinition[]][], string][])('refuse %s', async (_, definitions, text) => {
    const failure = await inTransaction(async (stub) => {
      await stub.createTable('t', [{ name: 'k', type: 'string', key: true }])
      for (const [name, columns] of definitions) await stub.createTable(name, columns)
    })
    expect(failure).toBe(text)
  })

  it('insert only a new row, replace only an existing one, and need their table', async () => {
    const failure = await inTransaction(async (stub) => {
      const table = stub.table('accounts', { name: { type: 'string', key: true }, balance: { type: 'uint64' } })
      expect(await table.create()).toBe(true)
      expect(await table.create()).toBe(false)
      expect(await table.insert({ name: 'a', balance: 2n ** 64n - 1n })).toBe(true)
      expect(await table.insert({ name: 'a', balance: 0n })).toBe(false)
      expect(await table.replace({ name: 'b', balance: 0n })).toBe(false)
      expect(await table.replace({ name: 'a', balance: 0n })).toBe(true)
      expect(await table.get({ name: 'a' })).toEqual({ name: 'a', balance: 0n })
      await table.drop()
      expect(await table.get({ name: 'a' })).toBeUndefined()
      await table.insert({ name: 'a', balance: 0n })
    })
    expect(failure).toBe('chaincode: Table not found')
  })

  it('refuse column names that an object would reorder', async () => {
    expect(await inTransaction(async (stub) => void stub.table('t', { '1': { type: 'string', key: true } }))).toContain('use createTable')
  })

  it('refuse values that do not fit their column', async () => {
    const failure = await inTransaction(async (stub) => {
      const table = stub.table('t', { k: { type: 'int32', key: true } })
      await table.create()
      await table.insert({ k: 2 ** 31 })
    })
    expect(failure).toBe("The type for table 't', column 'k' is 'INT32', but the column in the row does not match.")
  })
})

/** Runs a transaction and returns its failure text; empty if it succeeded. */
async function inTransaction(work: (stub: ChaincodeStub) => Promise<void>): Promise<string> {
  const chaincode: Chaincode = { invoke: work }
  const { ok, text } = await new MemoryPeer().add(createInProcessRuntime('cc', chaincode)).invoke('cc', ['run'])
  return ok ? '' : text
}

async function createVectorTable(stub: ChaincodeStub, name: string): Promise<void> {
  const found = vector.tables.find((table) => table.name === name)
  await stub.createTable(name, (found?.columnDefinitions ?? []).map(definitionOf))
}

function definitionOf({ name, type, key }: { name: string; type: string; key: boolean }): ColumnDefinition {
  const known = COLUMN_TYPES.find((candidate) => candidate === type.toLowerCase())
  if (known === undefined) throw new Error(`unknown type ${type}`)
  return { name, type: known, key }
}

function columnOf({ type, value = '', valueHex = '' }: VectorColumn): Column | undefined {
  switch (type) {
    case 'string':
      return { type, value: Buffer.from(valueHex, 'hex').toString() }
    case 'int32':
    case 'uint32':
      return { type, value: Number(value) }
    case 'int64':
    case 'uint64':
      return { type, value: BigInt(value) }
    case 'bytes':
      return { type, value: new Uint8Array(Buffer.from(valueHex, 'hex')) }
    case 'bool':
      return { type, value: value === 'true' }
    default:
      return undefined
  }
}
