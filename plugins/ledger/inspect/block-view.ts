import { Block, blockTransactions, type ChaincodeEvent, decode, hex, type StoredBlock } from '../../../proto/index.js'
import { escaped } from '../../terminal/index.js'
import { isoTime } from './shown.js'
import { type EventView, type TransactionView, eventLine, eventView, transactionLines, transactionView } from './transaction-view.js'

/** A block as `--json` shows it (docs/guides/operators.md). */
export interface BlockView {
  readonly number: bigint
  readonly hash: string
  readonly previousBlockHash: string
  readonly stateHash: string
  readonly consensusMetadata: string
  /** When this peer, or the one that it got the block from, committed it. */
  readonly committed?: string
  readonly bytes: number
  /** Transactions that were executed; those that failed are in no block. */
  readonly executed: number
  readonly transactions: readonly TransactionView[]
  /** Events of transactions that failed: they are sent to listeners all the same. */
  readonly otherEvents: readonly EventView[]
}

export function blockView({ number, hash, block: bytes }: StoredBlock): BlockView {
  const { nonHashData, stateHash, previousBlockHash, consensusMetadata } = decode(Block, bytes)
  const raw = blockTransactions(bytes)
  const events = eventsByTransaction(nonHashData?.chaincodeEvents ?? [])
  // An id may repeat within a block: its events are shown with the first.
  const transactions = raw.map((transaction) => transactionView(transaction, take(events, transaction)))
  const committed = nonHashData?.localLedgerCommitTimestamp
  return {
    number,
    hash: hex(hash),
    previousBlockHash: hex(previousBlockHash),
    stateHash: hex(stateHash),
    consensusMetadata: hex(consensusMetadata),
    ...(committed ? { committed: isoTime(committed) } : {}),
    bytes: bytes.length,
    executed: nonHashData?.chaincodeEvents.length ?? 0,
    transactions,
    otherEvents: [...events.values()].flat().map(eventView),
  }
}

/** A block in lines for people. */
export function blockLines(bytes: Uint8Array, view: BlockView): string[] {
  const failed = view.executed - view.transactions.length
  const lines = [
    `block       ${view.number}`,
    `hash        ${view.hash}`,
    `before      ${view.previousBlockHash || 'none'}`,
    `state       ${view.stateHash || 'empty'}`,
    `committed   ${view.committed ?? 'unknown'}`,
    ...(view.consensusMetadata === '' ? [] : [`consensus   0x${view.consensusMetadata}`]),
    `size        ${view.bytes} bytes, ${view.transactions.length} transactions${failed > 0 ? `; ${failed} more failed and are in no block` : ''}`,
  ]
  for (const [index, transaction] of blockTransactions(bytes).entries()) {
    const shownAs = view.transactions[index]
    if (shownAs) lines.push('', ...transactionLines(transaction, shownAs))
  }
  if (view.otherEvents.length > 0)
    lines.push('', 'events of transactions that failed', ...view.otherEvents.map((event) => `  ${escaped(event.txid)}: ${eventLine(event)}`))
  return lines
}

function eventsByTransaction(events: readonly ChaincodeEvent[]): Map<string, ChaincodeEvent[]> {
  const byTransaction = new Map<string, ChaincodeEvent[]>()
  for (const event of events) {
    // A transaction without an event has an empty one (spec/ledger.md §11.4).
    if (event.chaincodeID === '' && event.txID === '' && event.eventName === '') continue
    byTransaction.set(event.txID, [...(byTransaction.get(event.txID) ?? []), event])
  }
  return byTransaction
}

function take(events: Map<string, ChaincodeEvent[]>, transaction: Uint8Array): ChaincodeEvent[] {
  const { txid } = transactionView(transaction, [])
  const found = events.get(txid) ?? []
  events.delete(txid)
  return found
}
