import { blockTransactions } from '../../proto/index.js'
import type { RequestId } from './engine.js'
import type { HostLedger } from './execution.js'
import { requestId } from './request-id.js'

/** The ids of the transactions in the blocks from `fromHeight` on, oldest first; `isComplete` is false if only the newest of them are listed, at most `most`. */
export function requestsFrom(ledger: Pick<HostLedger, 'height' | 'blockBytes'>, fromHeight: bigint, most: number): { ids: RequestId[]; isComplete: boolean } {
  const newestFirst: RequestId[] = []
  for (let number = ledger.height() - 1n; number >= fromHeight; number--) {
    const bytes = ledger.blockBytes(number)
    const transactions = bytes ? blockTransactions(bytes) : []
    if (newestFirst.length + transactions.length > most) return { ids: newestFirst.reverse(), isComplete: false }
    for (const transaction of [...transactions].reverse()) newestFirst.push(requestId(transaction))
  }
  return { ids: newestFirst.reverse(), isComplete: true }
}
