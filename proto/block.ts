import { canonicalBlock, canonicalTransaction } from './canonical.js'
import { encode } from './codec.js'
import { Cursor } from './cursor.js'
import { Block } from './gen/fabric.js'
import { lengthDelimited } from './wire-parts.js'

const TRANSACTIONS_FIELD = 3

/** A block without its transactions. */
export type BlockHeader = Omit<Block, 'transactions'>

/**
 * Serialises a block of serialised transactions, which enter it byte for byte in canonical form: a transaction is never encoded twice, and text in
 * it that is not UTF-8 survives (spec/ledger.md §2.2, §3.2).
 *
 * @throws WireError if a transaction is malformed or a header value does not fit its field
 */
export function encodeBlock(header: BlockHeader, transactions: readonly Uint8Array[]): Uint8Array {
  const { version, timestamp, stateHash, previousBlockHash, consensusMetadata, nonHashData } = header
  const rest = encode(Block, { version, timestamp, transactions: [], stateHash, previousBlockHash, consensusMetadata, nonHashData })
  const at = endOfFieldsBefore(TRANSACTIONS_FIELD, rest)
  const fields = transactions.map((transaction) => lengthDelimited(TRANSACTIONS_FIELD, canonicalTransaction(transaction)))
  const block = new Uint8Array(fields.reduce((total, { length }) => total + length, rest.length))
  block.set(rest.subarray(0, at))
  let position = at
  for (const field of fields) {
    block.set(field, position)
    position += field.length
  }
  block.set(rest.subarray(at), position)
  return block
}

/** Where, in a canonical message, the fields below a number end. */
function endOfFieldsBefore(fieldNumber: number, canonical: Uint8Array): number {
  const cursor = new Cursor(canonical)
  while (cursor.position < cursor.limit) {
    const start = cursor.position
    if (cursor.fieldNumber() >= fieldNumber) return start
    cursor.skip(cursor.low & 7)
  }
  return cursor.position
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
