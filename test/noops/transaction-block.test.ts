import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encodeTransactionBlock, TransactionBlock, transactionBlockTransactions, WireError } from '../../proto/index.js'
import { transactionOf } from '../consensus/kit/fake-ledger.js'

describe('a TransactionBlock of serialised transactions', () => {
  it('is what the generated code writes, and gives its transactions back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 20_000 }), { maxLength: 4 }), (payloads) => {
        const transactions = payloads.map(transactionOf)
        const block = encodeTransactionBlock(transactions)
        expect(Buffer.from(TransactionBlock.encode(decode(TransactionBlock, block)).finish()).equals(block)).toBe(true)
        expect(transactionBlockTransactions(block).map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
          transactions.map((bytes) => Buffer.from(bytes).toString('hex')),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('of any other bytes is refused with a WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          transactionBlockTransactions(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
    )
  })
})
