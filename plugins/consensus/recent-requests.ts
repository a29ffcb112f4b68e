import { blockTransactions } from '../../proto/index.js'
import type { RequestId } from './engine.js'
import type { HostLedger } from './execution.js'
import { requestId } from './request-id.js'

/** How many requests of the chain an engine is told at its start and after a transfer: reading and hashing them takes a tenth of a second. */
const MAX_TOLD = 10_000

/** The ids of the transactions in the blocks from `fromHeight` on, oldest first; `isComplete` is false if only the newest 10,000 of them are listed. */
export function requestsFrom(ledger: Pick<HostLedger, 'height' | 'blockBytes'>, fromHeight: bigint): { ids: RequestId[]; isComplete: boolean } {
  const newestFirst: RequestId[] = []
  for (let number = ledger.height() - 1n; number >= fromHeight; number--) {
    const bytes = ledger.blockBytes(number)
    const transactions = bytes ? blockTransactions(bytes) : []
    if (newestFirst.length + transactions.length > MAX_TOLD) return { ids: newestFirst.reverse(), isComplete: false }
    for (const transaction of [...transactions].reverse()) newestFirst.push(requestId(transaction))
  }
  return { ids: newestFirst.reverse(), isComplete: true }
}
