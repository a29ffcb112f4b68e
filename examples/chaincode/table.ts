/**
 * v0.6's table scenario: four tables with all column types. Rows are stored byte for byte as Go chaincode stores them.
 *
 *   invoke  insertRowTableOne test1 10 20            query  getRowTableOne test1
 *   invoke  insertRowTableTwo foo2 34 65 bar8        query  getRowsTableTwo foo2 65
 */
import type { Chaincode, ChaincodeStub, PartialKey, QueryStub, TableDefinition } from 'weft/chaincode'

const ONE = {
  colOneTableOne: { type: 'string', key: true },
  colTwoTableOne: { type: 'int32' },
  colThreeTableOne: { type: 'int32' },
} as const
const TWO = {
  colOneTableTwo: { type: 'string', key: true },
  colTwoTableTwo: { type: 'int32' },
  colThreeTableThree: { type: 'int32', key: true },
  colFourTableFour: { type: 'string', key: true },
} as const
const THREE = {
  colOneTableThree: { type: 'string', key: true },
  colTwoTableThree: { type: 'int32' },
  colThreeTableThree: { type: 'int64' },
  colFourTableFour: { type: 'uint32' },
  colFourTableFive: { type: 'uint64' },
  colFourTableSix: { type: 'bytes' },
  colFourTableSeven: { type: 'bool' },
} as const
const FOUR = { colOneTableFour: { type: 'string', key: true } } as const

/** The tables as this call sees them; a query cannot write to them. */
const tables = (stub: ChaincodeStub) => ({
  one: stub.table('tableOne', ONE),
  two: stub.table('tableTwo', TWO),
  three: stub.table('tableThree', THREE),
  four: stub.table('tableFour', FOUR),
})

export default {
  async init(stub) {
    const { one, two, three, four } = tables(stub)
    for (const table of [one, two, three, four]) await table.create()
  },

  async invoke(stub, fn, args) {
    const { one, two, three, four } = tables(stub)
    const [a = '', b = '', c = '', d = '', e = '', f = '', g = ''] = args
    const rowOne = () => ({ colOneTableOne: a, colTwoTableOne: int32(b), colThreeTableOne: int32(c) })
    switch (fn) {
      case 'insertRowTableOne':
        if (!(await one.insert(rowOne()))) throw new Error('insertTableOne operation failed. Row with given key already exists')
        return
      case 'replaceRowTableOne':
        if (!(await one.replace(rowOne()))) throw new Error('replaceRowTableOne operation failed. Row with given key does not exist')
        return
      case 'deleteRowTableOne':
        return one.delete({ colOneTableOne: a })
      case 'deleteAndRecreateTableOne':
        await one.drop()
        await one.create()
        return
      case 'insertRowTableTwo':
        if (!(await two.insert({ colOneTableTwo: a, colTwoTableTwo: int32(b), colThreeTableThree: int32(c), colFourTableFour: d }))) {
          throw new Error('insertRowTableTwo operation failed. Row with given key already exists')
        }
        return
      case 'insertRowTableThree': {
        const row = { colOneTableThree: a, colTwoTableThree: int32(b), colThreeTableThree: BigInt(c), colFourTableFour: int32(d) }
        const rest = { colFourTableFive: BigInt(e), colFourTableSix: new TextEncoder().encode(f), colFourTableSeven: g === 'true' }
        if (!(await three.insert({ ...row, ...rest }))) throw new Error('insertRowTableThree operation failed. Row with given key already exists')
        return
      }
      case 'insertRowTableFour':
        if (!(await four.insert({ colOneTableFour: a }))) throw new Error('insertRowTableFour operation failed. Row with given key already exists')
        return
      default:
        throw new Error('Unsupported operation')
    }
  },

  async query(stub, fn, args) {
    const [a = '', b, c = ''] = args
    switch (fn) {
      case 'getRowTableOne':
        return show(ONE, await stub.table('tableOne', ONE).get({ colOneTableOne: a }))
      case 'getRowTableTwo':
        return show(TWO, await stub.table('tableTwo', TWO).get({ colOneTableTwo: a, colThreeTableThree: int32(b ?? ''), colFourTableFour: c }))
      case 'getRowTableThree':
        return show(THREE, await stub.table('tableThree', THREE).get({ colOneTableThree: a }))
      case 'getRowTableFour':
        return show(FOUR, await stub.table('tableFour', FOUR).get({ colOneTableFour: a }))
      case 'getRowsTableTwo':
        return list(stub, 'tableTwo', TWO, b === undefined ? { colOneTableTwo: a } : { colOneTableTwo: a, colThreeTableThree: int32(b) })
      case 'getRowsTableFour':
        return list(stub, 'tableFour', FOUR, { colOneTableFour: a })
      default:
        throw new Error('Unsupported operation')
    }
  },
} satisfies Chaincode

function int32(text: string): number {
  if (!/^[+-]?\d{1,10}$/.test(text)) throw new Error(`expected an integer, found ${JSON.stringify(text)}`)
  return Number(text)
}

/** A row as Go prints it: `{[string:"test1"  int32:10  int32:20 ]}`; no row is `{[]}`. */
function show(definition: TableDefinition, row: Readonly<Record<string, unknown>> | undefined): string {
  const columns = Object.entries(definition).map(([name, { type }]) => `${type}:${quoted(row?.[name])} `)
  return row === undefined ? '{[]}' : `{[${columns.join(' ')}]}`
}

function quoted(value: unknown): string {
  const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value
  return typeof text === 'string' ? JSON.stringify(text) : String(text)
}

/** Names of Go's oneof wrappers, as its JSON shows them. */
const GO_NAMES: Readonly<Record<string, string>> = { string: 'String_', int32: 'Int32' }

/** Rows as Go's JSON shows them. */
async function list<D extends TableDefinition>(stub: QueryStub, name: string, definition: D, key: PartialKey<D>): Promise<string> {
  const rows: unknown[] = []
  for await (const row of stub.table(name, definition).rows(key)) {
    rows.push({ columns: Object.entries(definition).map(([column, { type }]) => ({ Value: { [GO_NAMES[type] ?? type]: row[column] } })) })
  }
  return JSON.stringify(rows)
}
