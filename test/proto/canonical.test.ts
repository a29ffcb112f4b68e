import { describe, expect, it } from 'vitest'
import {
  Block,
  blockHashInput,
  blockTransactions,
  canonicalBlock,
  canonicalTransaction,
  canonicalWithout,
  encode,
  encodeBlock,
  Transaction,
  WireError,
} from '../../proto/index.js'
import { fromHex, vectorText, toHex } from './vectors.js'

interface BlockHashCase {
  readonly note: string
  readonly blockHex: string
  readonly hashInputHex?: string
  readonly unmarshalError?: boolean
}

const { cases }: { cases: BlockHashCase[] } = JSON.parse(vectorText('ledger/block_hash'))
const wellFormed = cases.filter(({ unmarshalError }) => !unmarshalError)
const malformed = cases.filter(({ unmarshalError }) => unmarshalError)

describe('the input of a block hash', () => {
  it('has 26 golden cases, of which 5 do not parse', () => {
    expect([wellFormed.length, malformed.length]).toEqual([21, 5])
  })

  it.each(wellFormed)('is the golden one: $note', ({ blockHex, hashInputHex }) => {
    expect(toHex(blockHashInput(fromHex(blockHex)))).toBe(hashInputHex)
  })

  it.each(malformed)('is refused: $note', ({ blockHex }) => {
    expect(() => blockHashInput(fromHex(blockHex))).toThrow(WireError)
  })

  it('is the 202 bytes of spec/wire.md §15 for one deploy on top of genesis', () => {
    const input =
      '1a440801120612046d7963631a240a220801120612046d7963631a160a04696e69740a01610a033130300a01620a033230302a046d796363320c08c7b18ad806108491e58f0122402c72bf8c33c8a474ffaa069b6a5cf9c60a8492d9bbfb13e06d8c3c13f8e7c0db853eea221a187c4cf4d42e374723df56bda3d208a75a491cf3ffed8bcd8e117f2a4046b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762fd75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be'
    expect(input.length / 2).toBe(202)
    expect(toHex(blockHashInput(fromHex(`${input}3a0a0a080880c585bb051005`)))).toBe(input)
  })
})

describe('the canonical form', () => {
  it('of canonical bytes is the very same array', () => {
    const bytes = fromHex('1a0208022201732a01703a021200')
    expect(canonicalBlock(bytes)).toBe(bytes)
  })

  it('keeps nonHashData, which only the hash input leaves out', () => {
    expect(toHex(canonicalBlock(fromHex('3a021200220173')))).toBe('2201733a021200')
    expect(toHex(blockHashInput(fromHex('3a021200220173')))).toBe('220173')
  })

  it('refuses a field that reaches beyond the end of its sub-message', () => {
    expect(() => canonicalBlock(fromHex('1a022a0378797a'))).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TRUNCATED' }))
  })

  it('refuses a broken sub-message even where another occurrence would complete it', () => {
    expect(() => canonicalBlock(fromHex('12020805120108120105'))).toThrow(WireError)
  })

  it('passes over groups nested a million deep without growing the stack', () => {
    // Field 31, wire types 3 and 4: tags of two bytes.
    const nested = Buffer.concat([Buffer.alloc(2_000_000, 'fb01', 'hex'), Buffer.alloc(2_000_000, 'fc01', 'hex')])
    expect(canonicalTransaction(nested)).toEqual(new Uint8Array())
  })

  it.each([
    ['0e', 'ERR_WIRE_TYPE'],
    ['7e', 'ERR_WIRE_TAG'],
    ['7f', 'ERR_WIRE_TAG'],
    ['7b', 'ERR_WIRE_TRUNCATED'],
    ['7d0000', 'ERR_WIRE_TRUNCATED'],
    ['7900000000000000', 'ERR_WIRE_TRUNCATED'],
    ['1affffffffffffffffff01', 'ERR_WIRE_TRUNCATED'],
    ['08ffffffffffffffffffff00', 'ERR_WIRE_VARINT'],
  ])('refuses %s with %s', (hex, code) => {
    expect(() => canonicalTransaction(fromHex(hex))).toThrow(expect.objectContaining({ code }))
  })

  it('without the signature is what a transaction signature covers', () => {
    expect(toHex(canonicalWithout(Transaction, fromHex('0802620108'), 12))).toBe('0802')
  })

  it('without a field in the middle joins what stands around it', () => {
    expect(toHex(canonicalWithout(Block, fromHex('080112001a001a00220173'), 3))).toBe('08011200220173')
  })

  it('without an absent field is the whole', () => {
    expect(toHex(canonicalWithout(Block, fromHex('0801220173'), 3))).toBe('0801220173')
  })
})

describe('a block put together from serialised transactions', () => {
  const header = Block.fromPartial({ version: 1, stateHash: fromHex('aa'), previousBlockHash: fromHex('bb'), nonHashData: {} })

  it('equals the block encoded as a whole', () => {
    const transactions = [Transaction.fromPartial({ txid: 'one' }), Transaction.fromPartial({ txid: 'two', payload: fromHex('00') })]
    const parts = transactions.map((transaction) => encode(Transaction, transaction))
    expect(encodeBlock(header, parts)).toEqual(encode(Block, { ...header, transactions }))
  })

  it('keeps a transaction id that is not UTF-8, and gives its transactions back', () => {
    const transaction = fromHex('2a03fffe61')
    const block = encodeBlock(header, [transaction, fromHex('')])
    expect(blockTransactions(block).map(toHex)).toEqual(['2a03fffe61', ''])
    expect(canonicalBlock(block)).toBe(block)
  })

  it('refuses a malformed transaction', () => {
    expect(() => encodeBlock(header, [fromHex('2a05')])).toThrow(WireError)
  })
})
