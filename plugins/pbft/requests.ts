import type { pbft } from '../../proto/index.js'
import { type Batcher, createBatcher, createRecentIds, type EngineRequest, type MemberIndex, type RequestId } from '../consensus/index.js'
import { type Core, executedTo, isPrimary, type Parts, primaryOf } from './core.js'
import { encodeRequest, NOTHING, toBatch, toEngineRequest } from './messages.js'

/** Requests of one member that are remembered until they are executed; what it announces beyond is dropped. Its host accepts no more either. */
const MAX_PER_MEMBER = 20_000
/** Executed requests remembered, so that none is ordered twice. */
const MAX_EXECUTED = 40_000
/** Announcements that a member is sent at once when its link comes up. */
const MAX_REPEATED = 500
/** A request is announced again at most this often. */
const REPEAT_AFTER_MS = 250
const LONGEST_HOLD_MS = 2000
const NANOS_PER_MS = 1_000_000n
const NANOS_PER_SECOND = 1_000_000_000n

/** A request that is not executed yet. */
interface Outstanding {
  readonly id: RequestId
  readonly bytes: Uint8Array
  readonly request: pbft.Request
  readonly from: MemberIndex
  isOwn: boolean
  arrivedAt: number
  announcedAt: number
  /** In the batcher, or part of a batch that is proposed. */
  isQueued: boolean
}

export interface Requests {
  readonly part: Parts['requests']
  readonly counts: { readonly outstanding: number; readonly pending: number }
  onOwn(request: EngineRequest): void
  onRemote(from: MemberIndex, request: pbft.Request): void
  onBatchTimer(): void
  /** The journal's requests have waited long enough for a block that holds them. */
  onAnnounceTimer(): void
  onTransferred(executed: readonly RequestId[] | undefined): void
  /** Says the own requests that a member may have missed. */
  repeatTo(member: MemberIndex, downSinceMs: number): void
  /** What v0.6 has in its request store: all, and those that are pending. For tests and status. */
  list(): readonly { readonly request: pbft.Request; readonly isQueued: boolean }[]
}

/** The request store and batching (spec/consensus.md §12). Requests are told apart by their transactions, not by the time of their sender (§15 W18, W19). */
export function createRequests(core: Core, known: readonly RequestId[], lastStamp: bigint): Requests {
  const { host, state, timers, options, parts } = core
  const entries = new Map<RequestId, Outstanding>()
  const unqueued = new Map<RequestId, Outstanding>()
  const own = new Map<RequestId, Outstanding>()
  const perMember = new Map<MemberIndex, number>()
  const executed = createRecentIds(MAX_EXECUTED)
  for (const id of known) executed.add(id)
  /** From the journal of an earlier life: others may know them under the request of that life, which an original would execute besides a new one. */
  let held = new Map<RequestId, EngineRequest>()
  /** Own requests before a transfer, which keep their request if they come again. */
  let former = new Map<RequestId, Outstanding>()
  let stamp = lastStamp
  let viewStartedAt = 0
  let finishedBatches = 0
  const ownBatches = new Set<string>()

  const batcher: Batcher<Outstanding> = createBatcher(
    {
      batching: options.batching,
      size: options.batchSize,
      timeoutMs: options.batchMs,
      ...(options.batching === 'fixed' ? { maxInFlight: Number.MAX_SAFE_INTEGER } : {}),
    },
    {
      now: () => host.now,
      setTimer: (delayMs) => timers.set('batch', delayMs),
      cancelTimer: () => timers.stop('batch'),
      cut(items) {
        const live = items.filter((item) => entries.get(item.id) === item)
        if (live.length === 0) finishedBatches++
        else {
          const batch = toBatch({ batch: live.map(({ request }) => request) })
          ownBatches.add(batch.digest)
          parts.ordering.onBatch(batch)
        }
      },
    },
  )
  const mayPropose = (): boolean => isPrimary(core) && state.isActive && !state.isOutOfDate && !state.isSealed
  const add = (entry: Outstanding): void => {
    entries.set(entry.id, entry)
    if (entry.isOwn) own.set(entry.id, entry)
    perMember.set(entry.from, (perMember.get(entry.from) ?? 0) + 1)
    entry.isQueued = isProposed(entry.id)
    if (!entry.isQueued) unqueued.set(entry.id, entry)
  }
  const remove = (id: RequestId): Outstanding | undefined => {
    const entry = entries.get(id)
    held.delete(id)
    if (!entry) return undefined
    for (const map of [entries, unqueued, own]) map.delete(id)
    perMember.set(entry.from, (perMember.get(entry.from) ?? 1) - 1)
    return entry
  }
  /** Whether a number that is not executed yet holds it in this view, or has been decided to. */
  const isProposed = (id: RequestId, except?: bigint): boolean => {
    for (const { n, proposal, committed } of state.slots.values()) {
      const digest = committed ?? proposal
      if (digest && n !== except && n > executedTo(state) && state.batches.get(digest)?.ids.has(id)) return true
    }
    return false
  }
  const isDelivering = (id: RequestId): boolean => state.delivering?.ids.has(id) === true
  const isOver = (id: RequestId): boolean => executed.has(id) || isDelivering(id)
  const queue = (entry: Outstanding): void => {
    entry.isQueued = true
    unqueued.delete(entry.id)
    batcher.add(entry)
  }
  /** A timestamp in nanoseconds, later than every earlier one of this replica (§15 W19). */
  const nextStamp = (): bigint => {
    const now = BigInt(host.now) * NANOS_PER_MS
    stamp = now > stamp ? now : stamp + 1n
    return stamp
  }
  const announce = (entry: Outstanding): void => {
    entry.announcedAt = host.now
    host.broadcast(encodeRequest(entry.request))
  }
  const accept = ({ id, bytes }: EngineRequest): void => {
    const nanos = nextStamp()
    const timestamp = { seconds: nanos / NANOS_PER_SECOND, nanos: Number(nanos % NANOS_PER_SECOND) }
    const request: pbft.Request = { timestamp, payload: bytes, replicaId: BigInt(host.self), signature: NOTHING }
    const entry: Outstanding = { id, bytes, request, from: host.self, isOwn: true, arrivedAt: host.now, announcedAt: 0, isQueued: false }
    announce(entry)
    add(entry)
    part.startTimer()
    if (mayPropose() && !entry.isQueued) queue(entry)
  }
  const forgetQueue = (): void => {
    batcher.clear()
    ownBatches.clear()
    finishedBatches = 0
    state.waiting = []
    unqueued.clear()
    for (const entry of entries.values()) {
      entry.isQueued = isProposed(entry.id)
      if (!entry.isQueued) unqueued.set(entry.id, entry)
    }
  }
  /** An own request was overtaken by one that was announced after it: links keep the order, so the primary never got it. */
  const repeatOvertaken = (latest: Outstanding): void => {
    const primary = primaryOf(core, state.view)
    for (const entry of own.values()) {
      if (entry.request.replicaId !== BigInt(host.self) || entry.announcedAt > latest.announcedAt || primary === host.self) return
      if (isProposed(entry.id) || host.now - entry.announcedAt < REPEAT_AFTER_MS) continue
      entry.announcedAt = host.now
      host.send(primary, encodeRequest(entry.request))
    }
  }
  /** Whether the oldest request is passed over: requests that came a whole time-out after it are executed before it (§15 W22). */
  const isCensored = (youngestMs: number): boolean => {
    const [oldest] = unqueued.values()
    if (!oldest || !state.isActive || isPrimary(core)) return false
    const since = Math.max(oldest.arrivedAt, viewStartedAt)
    return youngestMs - since > options.requestMs && host.now - since > 2 * options.requestMs && !isProposed(oldest.id)
  }
  const part: Parts['requests'] = {
    onExecuting(batch) {
      if (ownBatches.delete(batch.digest)) finishedBatches++
      let youngestMs = 0
      let latestOwn: Outstanding | undefined
      for (const { id } of batch.requests) {
        const entry = remove(id)
        if (!entry) continue
        youngestMs = Math.max(youngestMs, entry.arrivedAt)
        if (entry.from === host.self) latestOwn = entry
      }
      if (latestOwn) repeatOvertaken(latestOwn)
      if (isCensored(youngestMs)) parts.viewChange.start(state.view + 1n)
    },
    onExecuted({ requests }, rejected) {
      // A rejected request is in no block: it may be ordered again, as nobody remembers it after a restart.
      const isRejected = new Set(rejected)
      for (const { id } of requests) if (!isRejected.has(id)) executed.add(id)
    },
    onViewEntered() {
      viewStartedAt = host.now
      forgetQueue()
      part.resubmit()
    },
    isRepeated: (batch, n) => batch.ids.size < batch.requests.length || batch.requests.some(({ id }) => isOver(id) || isProposed(id, n)),
    hasWaiting: () => unqueued.size > 0,
    startTimer() {
      if (state.isOutOfDate || state.isSealed || state.currentExec !== undefined || !state.isActive) return
      if (unqueued.size > 0) timers.softStart('newView', options.requestMs)
    },
    resubmit() {
      part.startTimer()
      if (mayPropose()) for (const entry of [...unqueued.values()]) queue(entry)
      for (; finishedBatches > 0; finishedBatches--) batcher.finished()
    },
  }
  return {
    part,
    get counts() {
      return { outstanding: entries.size + held.size, pending: entries.size - unqueued.size }
    },
    onOwn(request) {
      const { id } = request
      const entry = entries.get(id)
      if (isOver(id)) {
        // Its owner would wait for ever; what is being delivered ends with its block.
        if (!isDelivering(id)) host.forget([id])
      } else if (entry) {
        entry.isOwn = true
        own.set(id, entry)
      } else if (state.isOutOfDate && core.quorums.N > 1) {
        const before = former.get(id)
        if (before) add(before)
        else held.set(id, request)
        if (!before) timers.softStart('announce', Math.min(options.requestMs, LONGEST_HOLD_MS))
      } else if (former.has(id)) {
        const before = former.get(id)
        if (before) add(before)
        part.resubmit()
      } else if (!held.has(id)) accept(request)
    },
    onRemote(from, request) {
      const { timestamp, payload } = request
      const read = timestamp && toEngineRequest(payload)
      if (!read) return host.log('warning', `a request from replica ${from} is dropped: it has no time or holds no transaction`)
      const { id } = read
      if (isOver(id) || entries.has(id)) return
      if ((perMember.get(from) ?? 0) >= MAX_PER_MEMBER) return host.log('warning', `replica ${from} has more than ${MAX_PER_MEMBER} requests waiting: one is dropped`)
      const isOwn = held.has(id)
      const entry: Outstanding = { id, bytes: read.bytes, request, from, isOwn, arrivedAt: host.now, announcedAt: 0, isQueued: false }
      held.delete(id)
      add(entry)
      if (mayPropose()) {
        if (!entry.isQueued) queue(entry)
      } else part.startTimer()
    },
    onBatchTimer: () => batcher.timeUp(),
    onAnnounceTimer() {
      const requests = held
      held = new Map()
      for (const request of requests.values()) accept(request)
    },
    onTransferred(ids) {
      // The host says the own requests again that are in no block. Those of others stay, unless it cannot be told which the blocks hold (§15 W38).
      former = new Map(own)
      for (const id of [...own.keys()]) remove(id)
      for (const id of ids ?? [...entries.keys()]) remove(id)
      for (const id of ids ?? []) executed.add(id)
      forgetQueue()
    },
    repeatTo(member, downSinceMs) {
      const recentMs = member === primaryOf(core, state.view) ? downSinceMs - options.requestMs : 0
      const missed = [...own.values()].filter(({ announcedAt, id }) => announcedAt >= recentMs && !isProposed(id))
      for (const { request } of missed.slice(0, MAX_REPEATED)) host.send(member, encodeRequest(request))
    },
    list: () => [...entries.values()],
  }
}
