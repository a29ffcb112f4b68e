import { encodeTransactionBlock, orUndefined, transactionBlockTransactions } from '../../proto/index.js'
import {
  createBatcher,
  createRecentIds,
  type Engine,
  type EngineFactory,
  type EngineHost,
  type EngineRequest,
  type RequestId,
  requestId,
} from '../consensus/index.js'
import { type NoopsOptions, parseNoopsOptions } from './options.js'

/** Transactions that wait for a block: what others send beyond this is dropped. */
const MAX_WAITING = 20_000
const MAX_WAITING_BYTES = 256 * 1024 * 1024
/** Transactions remembered, so that they are not queued again when somebody announces them again. */
const MAX_SEEN = 20_000

/** The development engine of v0.6: no agreement, every validator makes blocks of what it receives, in its own order (spec/consensus.md §4). */
export const noops: EngineFactory<NoopsOptions> = Object.freeze({
  name: 'noops',
  version: '1.0.0',
  agreement: false,
  tolerates: () => ({ crashed: 0, byzantine: 0 }),
  parseOptions: parseNoopsOptions,
  create: createNoops,
})

function createNoops(host: EngineHost, { size, waitMs, batching }: NoopsOptions): Engine {
  let blocks = 0
  let waitingBytes = 0
  /** Accepted here, and in no block yet. */
  const own = new Map<RequestId, EngineRequest>()
  const seen = createRecentIds(MAX_SEEN)
  /** Blocks that were asked for, in order. */
  const cut: EngineRequest[][] = []
  const batcher = createBatcher<EngineRequest>(
    { size, timeoutMs: waitMs, batching },
    {
      now: () => host.now,
      setTimer: (delayMs) => host.setTimer('block', delayMs),
      cancelTimer: () => host.cancelTimer('block'),
      cut(requests) {
        for (const { bytes } of requests) waitingBytes -= bytes.length
        cut.push(requests)
        host.deliver(`block ${blocks++}`, requests)
      },
      bytesOf: ({ bytes }) => bytes.length,
    },
  )
  const queue = (request: EngineRequest): void => {
    seen.add(request.id)
    waitingBytes += request.bytes.length
    batcher.add(request)
  }
  return {
    onRequest(request) {
      if (host.members.length > 1) host.broadcast(encodeTransactionBlock([request.bytes]))
      own.set(request.id, request)
      queue(request)
    },
    /** A message may be lost with its link. */
    onPeer(member, up) {
      if (up) for (const { bytes } of own.values()) host.send(member, encodeTransactionBlock([bytes]))
    },
    onMessage(from, bytes) {
      const request = firstTransaction(bytes)
      // A validator announces again what was in its journal when it restarted: seen already.
      if (request && batcher.waiting < MAX_WAITING && waitingBytes < MAX_WAITING_BYTES && !seen.has(request.id)) queue(request)
      else host.log('debug', `a message of member ${from} is dropped: ${request ? 'seen lately, or too many wait' : 'it holds no transaction'}`)
    },
    onTimer: () => batcher.timeUp(),
    onDelivered() {
      for (const { id } of cut.shift() ?? []) own.delete(id)
      batcher.finished()
    },
  }
}

/** The first transaction of a `TransactionBlock`, as v0.6 takes it; undefined if there is none or the bytes are something else. */
function firstTransaction(message: Uint8Array): EngineRequest | undefined {
  const bytes = orUndefined(() => transactionBlockTransactions(message)[0]?.slice())
  return bytes && { id: requestId(bytes), bytes }
}
