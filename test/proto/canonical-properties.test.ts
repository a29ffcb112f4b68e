import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalise } from '../../proto/canonical.js'
import { Block, ConfidentialityLevel, decode, encode, pbft, Transaction, Transaction_Type } from '../../proto/index.js'
import { MESSAGE_ROWS } from '../../proto/gen/schemas.js'
import { isCanonical } from '../../proto/scan.js'
import type { FieldRow, MessageRow } from '../../proto/schema-rows.js'
import { schemaOf } from '../../proto/schema.js'

const rowByName = new Map(MESSAGE_ROWS.map((row) => [row.name, row]))
const BLOCK = schemaOf('protos.Block')

function varint(value: bigint, padding = 0): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  } while (rest > 0n)
  for (let index = 0; index < padding && bytes.length < 10; index++) bytes.push(0x80)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & 0x7f
  return bytes
}

const anyVarint = fc
  .tuple(fc.oneof(fc.constant(0n), fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n)), fc.nat(2))
  .map(([value, padding]) => varint(value, padding))

/** A serialised message: known fields in any order, any number of times, with padded varints, among unknown fields. */
function wireOf(row: MessageRow): fc.Arbitrary<number[]> {
  const known = row.fields.map((field) => fieldOf(field))
  return fc.array(fc.oneof(...known, ...(row.isClosed ? [] : [unknownField])), { maxLength: 6 }).map((fields) => fields.flat())
}

function fieldOf(field: FieldRow): fc.Arbitrary<number[]> {
  const nested = field.message === undefined ? undefined : rowByName.get(field.message)
  if (nested) return wireOf(nested).map((content) => delimited(field.number, content))
  if (field.kind === 'bytes' || field.kind === 'string') return fc.uint8Array({ maxLength: 4 }).map((content) => delimited(field.number, [...content]))
  return anyVarint.map((value) => [...varint(BigInt(field.number << 3)), ...value])
}

const delimited = (number: number, content: readonly number[]): number[] => [
  ...varint(BigInt((number << 3) | 2)),
  ...varint(BigInt(content.length)),
  ...content,
]

const unknownField = fc.constantFrom(
  [...varint(BigInt(40 << 3)), 7],
  delimited(41, [1, 2]),
  [...varint(BigInt((42 << 3) | 5)), 1, 2, 3, 4],
  [...varint(BigInt((43 << 3) | 3)), 8, 1, ...varint(BigInt((43 << 3) | 4))],
)

const blockRow = rowByName.get('protos.Block')
if (!blockRow) throw new Error('the generated schemas lack protos.Block')
const anyBlock = wireOf(blockRow).map((bytes) => Uint8Array.from(bytes))

const timestamp = fc.record({ seconds: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), nanos: fc.integer() })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const bytes = fc.uint8Array({ maxLength: 5 })
const text = fc.string({ unit: 'grapheme', maxLength: 5 })
const transaction = fc
  .record({
    type: fc.constantFrom(Transaction_Type.UNDEFINED, Transaction_Type.CHAINCODE_QUERY),
    chaincodeID: bytes,
    payload: bytes,
    txid: text,
    timestamp: maybe(timestamp),
    confidentialityLevel: fc.constantFrom(ConfidentialityLevel.PUBLIC, ConfidentialityLevel.CONFIDENTIAL),
    nonce: bytes,
    signature: bytes,
  })
  .map((fields) => Transaction.fromPartial(fields))
const event = fc.record({ chaincodeID: text, txID: text, eventName: text, payload: bytes })
const block = fc.record({
  version: fc.integer({ min: 0, max: 0xffffffff }),
  timestamp: maybe(timestamp),
  transactions: fc.array(transaction, { maxLength: 3 }),
  stateHash: bytes,
  previousBlockHash: bytes,
  consensusMetadata: bytes,
  nonHashData: maybe(fc.record({ localLedgerCommitTimestamp: maybe(timestamp), chaincodeEvents: fc.array(event, { maxLength: 3 }) })),
})

describe('canonical bytes', () => {
  it('do not change when they are made canonical again', () => {
    fc.assert(
      fc.property(anyBlock, (input) => {
        const once = canonicalise(BLOCK, input)
        expect(isCanonical(once, BLOCK)).toBe(true)
        expect(canonicalise(BLOCK, once)).toBe(once)
      }),
    )
  })

  it('are recognised exactly when re-encoding leaves them as they are, so the fast path changes nothing', () => {
    fc.assert(
      fc.property(anyBlock, (input) => {
        // A trailing unknown field forces the slow path, which drops it.
        const rewritten = canonicalise(BLOCK, Uint8Array.from([...input, 0xc0, 0x02, 0x07]))
        expect(isCanonical(input, BLOCK)).toBe(Buffer.compare(rewritten, input) === 0)
        expect(canonicalise(BLOCK, input)).toEqual(rewritten)
      }),
      { numRuns: 500 },
    )
  })

  it('are what the generated code writes, and the generated code reads them back', () => {
    fc.assert(
      fc.property(block, (message) => {
        const encoded = encode(Block, message)
        expect(isCanonical(encoded, BLOCK)).toBe(true)
        expect(decode(Block, encoded)).toEqual(message)
      }),
    )
  })

  it('of arbitrary bytes exist or the bytes are refused, for every message', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MESSAGE_ROWS), fc.uint8Array({ maxLength: 40 }), (row, input) => {
        const schema = schemaOf(row.name)
        let canonical: Uint8Array
        try {
          canonical = canonicalise(schema, input)
        } catch (error) {
          expect(error).toMatchObject({ name: 'WireError' })
          return
        }
        expect(isCanonical(canonical, schema)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('of any message built of its own fields are canonical, oneofs and map entries included', () => {
    const messages = MESSAGE_ROWS.filter((row) => row.fields.length > 0).map((row) =>
      wireOf(row).map((input) => ({ name: row.name, input: Uint8Array.from(input) })),
    )
    fc.assert(
      fc.property(fc.oneof(...messages), ({ name, input }) => {
        const schema = schemaOf(name)
        expect(isCanonical(canonicalise(schema, input), schema)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('of a oneof hold its last member alone', () => {
    const both = Uint8Array.from([0x1a, 0x01, 0x05, 0x0a, 0x02, 0x18, 0x02])
    expect(decode(pbft.BatchMessage, both).payload).toMatchObject({ $case: 'request', value: { replicaId: 2n } })
  })
})
