import { canonicalise, canonicalTransaction } from './canonical.js'
import { Cursor } from './cursor.js'
import { schemaOf } from './schema.js'

const TRANSACTION_BLOCK = schemaOf('protos.TransactionBlock')
const TRANSACTIONS_TAG = (1 << 3) | 2

/** Serialises a `protos.TransactionBlock` of serialised transactions, which enter it byte for byte in canonical form (spec/consensus.md §4.2). Throws WireError. */
export function encodeTransactionBlock(transactions: readonly Uint8Array[]): Uint8Array {
  const contents = transactions.map(canonicalTransaction)
  const lengths = contents.map(({ length }) => varint(length))
  const block = new Uint8Array(contents.reduce((total, { length }, index) => total + 1 + (lengths[index]?.length ?? 0) + length, 0))
  let position = 0
  for (const [index, content] of contents.entries()) {
    const length = lengths[index] ?? []
    block[position] = TRANSACTIONS_TAG
    block.set(length, position + 1)
    block.set(content, position + 1 + length.length)
    position += 1 + length.length + content.length
  }
  return block
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

/** Cheaper than a writer of its own, whose buffer would be larger than most transactions. */
function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}
