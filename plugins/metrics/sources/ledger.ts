import type { PluginHost } from '../../../kernel/index.js'
import { LEDGER, LEDGER_COUNTERS } from '../../ledger/index.js'
import { STORE_COUNTERS } from '../../level/index.js'
import type { Metrics } from '../metrics.js'
import { distributionOf } from './distribution.js'

/** The chain and its blocks. */
export function addLedgerMetrics(metrics: Metrics, peer: PluginHost): void {
  const counters = () => peer.find(LEDGER_COUNTERS)
  metrics.gauge({ name: 'peer_ledger_height_blocks', help: 'Height of the chain.' }, () => {
    const ledger = peer.find(LEDGER)
    return ledger && Number(ledger.height())
  })
  metrics.histogram({ name: 'peer_ledger_commit_seconds', help: 'From the executed batch to the durable block: state hash, encoding, write.' }, () => {
    const found = counters()
    return found ? [distributionOf(found.blockCommits)] : []
  })
  metrics.counter({ name: 'peer_ledger_block_bytes_total', help: 'Bytes of committed blocks.' }, () => counters()?.blockBytes)
  metrics.counter({ name: 'peer_ledger_transactions_total', help: 'Executed transactions of committed blocks, by result.', labels: ['result'] }, () => {
    const found = counters()
    if (!found) return undefined
    return [
      { labels: { result: 'succeeded' }, value: found.transactionsSucceeded },
      { labels: { result: 'failed' }, value: found.transactionsFailed },
    ]
  })
  metrics.gauge({ name: 'peer_ledger_last_commit_age_seconds', help: 'Time since a block was committed; nothing before the first one of this run.' }, () => {
    const lastMs = counters()?.lastCommitMs
    return lastMs === undefined ? undefined : (peer.clock.elapsedMs() - lastMs) / 1000
  })
}

/** The store under it. */
export function addStoreMetrics(metrics: Metrics, peer: PluginHost): void {
  const counters = () => peer.find(STORE_COUNTERS)
  metrics.counter({ name: 'peer_store_batches_total', help: 'Batches written; several may share one write.' }, () => counters()?.batches)
  metrics.counter({ name: 'peer_store_operations_total', help: 'Keys written or deleted.' }, () => counters()?.operations)
  metrics.counter({ name: 'peer_store_written_bytes_total', help: 'Bytes of keys and values given to the store.' }, () => counters()?.bytes)
  metrics.counter({ name: 'peer_store_unsynced_writes_total', help: 'Writes that did not wait for the disk (store.sync).' }, () => counters()?.unsyncedWrites)
  metrics.histogram({ name: 'peer_store_sync_seconds', help: 'Duration of writes that waited for the disk.' }, () => {
    const found = counters()
    return found ? [distributionOf(found.syncedWrites)] : []
  })
}
