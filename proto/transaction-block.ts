import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { canonicalise, canonicalTransaction } from './canonical.js'
import { Cursor } from './cursor.js'
import { schemaOf } from './schema.js'

const TRANSACTION_BLOCK = schemaOf('protos.TransactionBlock')
const TRANSACTIONS_TAG = (1 << 3) | 2

/** Serialises a `protos.TransactionBlock` of serialised transactions, which enter it byte for byte in canonical form (spec/consensus.md §4.2). Throws WireError. */
export function encodeTransactionBlock(transactions: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const transaction of transactions) writer.uint32(TRANSACTIONS_TAG).bytes(canonicalTransaction(transaction))
  return writer.finish()
}

/** The serialised transactions of a serialised `protos.TransactionBlock`, canonical and in order, as views of it where it is canonical itself. Throws WireError. */
export function transactionBlockTransactions(bytes: Uint8Array): Uint8Array[] {
  const block = canonicalise(TRANSACTION_BLOCK, bytes)
  const cursor = new Cursor(block)
  const transactions: Uint8Array[] = []
  while (cursor.position < cursor.limit) {
    cursor.fieldNumber()
    const end = cursor.lengthDelimitedEnd()
    transactions.push(block.subarray(cursor.position, end))
    cursor.position = end
  }
  return transactions
}
