import { Durations } from '../level/index.js'
import type { ExecutedTransaction } from './ledger.js'

/** What the ledger has committed since it was opened; read by whoever watches the peer. Blocks that came by state transfer are not executed and not counted. */
export class LedgerCounters {
  /** From the finished batch to the durable block: state hash, encoding, write. */
  readonly blockCommits = new Durations()
  blockBytes = 0
  transactionsSucceeded = 0
  transactionsFailed = 0
  /** When the last block became durable, in milliseconds of the clock; undefined: none did so far. */
  lastCommitMs: number | undefined

  /** @param elapsedMs monotonic milliseconds */
  constructor(readonly elapsedMs: () => number) {}

  committed(beganMs: number, bytes: number, executed: readonly ExecutedTransaction[]): void {
    const nowMs = this.elapsedMs()
    this.blockCommits.add(nowMs - beganMs)
    this.lastCommitMs = nowMs
    this.blockBytes += bytes
    let failed = 0
    for (const { result } of executed) if (result.error !== undefined) failed++
    this.transactionsFailed += failed
    this.transactionsSucceeded += executed.length - failed
  }
}
