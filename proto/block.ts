import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { canonicalBlock, canonicalTransaction } from './canonical.js'
import { encode } from './codec.js'
import { Cursor } from './cursor.js'
import { Block } from './gen/fabric.js'

const TRANSACTIONS_FIELD = 3
const TRANSACTIONS_TAG = (TRANSACTIONS_FIELD << 3) | 2

/** A block without its transactions. */
export type BlockHeader = Omit<Block, 'transactions'>

/**
 * Serialises a block of serialised transactions, which enter it byte for byte in canonical form: a transaction is never encoded twice, and text in
 * it that is not UTF-8 survives (spec/ledger.md §2.2, §3.2).
 *
 * @throws WireError if a transaction is malformed or a header value does not fit its field
 */
export function encodeBlock(header: BlockHeader, transactions: readonly Uint8Array[]): Uint8Array {
  const { version, timestamp } = header
  const before = encode(Block, Block.fromPartial({ version, timestamp }))
  const after = encode(Block, { ...header, version: 0, timestamp: undefined, transactions: [] })
  const writer = new BinaryWriter().raw(before)
  for (const transaction of transactions) writer.uint32(TRANSACTIONS_TAG).bytes(canonicalTransaction(transaction))
  return writer.raw(after).finish()
}

/** The serialised transactions of a serialised block, canonical and in order, as views of it where it is canonical itself. Throws WireError. */
export function blockTransactions(bytes: Uint8Array): Uint8Array[] {
  const block = canonicalBlock(bytes)
  const cursor = new Cursor(block)
  const transactions: Uint8Array[] = []
  while (cursor.position < cursor.limit) {
    if (cursor.fieldNumber() !== TRANSACTIONS_FIELD) {
      cursor.skip(cursor.low & 7)
      continue
    }
    const end = cursor.lengthDelimitedEnd()
    transactions.push(block.subarray(cursor.position, end))
    cursor.position = end
  }
  return transactions
}
