import type { ServiceHandlers, VitalsReading, VitalsService } from '../../proto/index.js'
import manifest from '../../package.json' with { type: 'json' }
import type { ConsensusFigures } from '../consensus/index.js'
import { unary } from '../grpc/index.js'
import type { LedgerCounters } from '../ledger/index.js'

/** Where the figures are; undefined: the site has no plugin that keeps them. */
export interface VitalsParts {
  readonly id: () => string
  readonly consensus: () => ConsensusFigures | undefined
  readonly ledger: () => LedgerCounters | undefined
}

/** `/weft.Vitals` of a running peer. */
export function vitals(parts: VitalsParts): ServiceHandlers<typeof VitalsService> {
  return { read: unary(async () => readingOf(parts)) }
}

function readingOf({ id, consensus, ledger }: VitalsParts): VitalsReading {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const figures = consensus()
  const requests = figures?.counters
  const queues = figures?.queues()
  const blocks = ledger()
  return {
    id: id(),
    version: manifest.version,
    upMicros: whole(process.uptime() * 1e6),
    cpuMicros: whole(user + system),
    residentBytes: whole(rss),
    heapBytes: whole(heapUsed),
    succeeded: whole(blocks?.transactionsSucceeded),
    failed: whole(blocks?.transactionsFailed),
    accepted: whole(requests?.accepted),
    refused: whole((requests?.refusedForRoom ?? 0) + (requests?.refusedHalted ?? 0)),
    ended: whole((requests?.committed ?? 0) + (requests?.rejected ?? 0) + (requests?.dropped ?? 0)),
    waitedMicros: whole((requests?.waitedMs() ?? 0) * 1000),
    commits: whole(blocks?.blockCommits.count),
    commitMicros: whole((blocks?.blockCommits.sumSeconds ?? 0) * 1e6),
    inbox: whole(queues?.inbox),
    outbox: whole(queues?.outbox),
  }
}

function whole(value = 0): bigint {
  return BigInt(Math.round(value))
}
