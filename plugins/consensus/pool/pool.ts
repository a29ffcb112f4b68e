import { PeerError } from '../../../kernel/index.js'
import type { Transaction } from '../../../proto/index.js'
import type { Store, StoreBatch } from '../../level/index.js'
import { AcceptedRequest, PooledRequest } from './accepted.js'
import type { RequestOutcomeReport, SubmitHints } from '../consensus.js'
import type { EngineRequest, RequestId } from '../engine/engine.js'
import type { ConsensusCounters } from '../counters.js'
import { FairShares } from './fair-shares.js'
import { createJournal } from './journal.js'
import type { ConsensusLimits } from '../limits.js'
import type { TransactionProbe } from '../probe.js'
import { requestId } from '../engine/request-id.js'
import { Room } from './room.js'

export interface PoolOptions {
  readonly store: Store
  readonly limits: Pick<ConsensusLimits, 'maxRequests' | 'maxRequestBytes'>
  readonly defer: (task: () => void) => void
  /** Monotonic milliseconds: the room for requests follows the rate at which they end. */
  readonly elapsedMs: () => number
  /** Milliseconds since 1970: requests are numbered by the time at which they came, so that the number tells it again after a restart. */
  readonly now: () => number
  readonly counters?: ConsensusCounters | undefined
  readonly probe?: TransactionProbe | undefined
  /** Requests that are safe on disk, in the order of submission. */
  readonly ready: (request: EngineRequest) => void
  /** How a request ended that is in the chain already, or was rejected by it. */
  readonly ended: (request: EngineRequest, transaction?: Transaction) => RequestOutcomeReport | undefined
  /** The journal could not be written: the peer must stop. */
  readonly fatal: (reason: unknown) => void
}

/** Requests accepted since the last write began; one write makes them all durable. */
interface Gathering {
  readonly requests: PooledRequest[]
  readonly written: Promise<void>
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** Of larger transactions the decoding is not kept: it may take as much memory again. */
const MAX_KEPT_DECODING_BYTES = 4096

/**
 * The requests that this validator accepted and that are in no block yet, and their journal (design: an accepted request survives `kill -9`).
 * One journal write is in flight at a time; what arrives meanwhile shares the next.
 */
export class RequestPool {
  private readonly journal
  private readonly requests = new Map<RequestId, PooledRequest>()
  private readonly room: Room
  private readonly shares = new FairShares()
  private bytes = 0
  private nextSequence = 0
  private gathering: Gathering | undefined
  private writingNow: Gathering | undefined
  private isWriting = false
  private isScheduled = false
  private sinceMs = 0

  constructor(private readonly options: PoolOptions) {
    this.journal = createJournal(options.store)
    this.room = new Room({ maxRequests: options.limits.maxRequests, elapsedMs: options.elapsedMs })
  }

  get size(): number {
    return this.requests.size
  }

  /** Since when there is always something that waits, in monotonic milliseconds. */
  get waitingSinceMs(): number {
    return this.sinceMs
  }

  /** Reads the journal: what was accepted before a restart. Bounds do not apply: it was accepted. New requests count as later than `after`, in microseconds since 1970. */
  async restore(after = 0): Promise<void> {
    this.nextSequence = after + 1
    const batch = this.options.store.batch()
    for await (const [sequence, bytes] of this.journal.load()) {
      const id = requestId(bytes)
      // Twice only if a damaged store gave a deleted row back.
      if (this.requests.has(id)) this.journal.delete(batch, sequence)
      else this.add(id, bytes, sequence).stage = 'journaled'
    }
    if (batch.size > 0) await this.options.store.commit(batch, 'record')
  }

  /** Takes back from the journal what was given up (`abandon`) while the peer went on: another engine will order it. Rejects if the store fails. */
  async reopen(): Promise<void> {
    await this.flushed()
    for (const [id, { stage }] of this.requests) if (stage === 'over') this.take(id)
    for await (const [sequence, bytes] of this.journal.load()) {
      const id = requestId(bytes)
      if (!this.requests.has(id)) this.add(id, bytes, sequence).stage = 'journaled'
    }
  }

  /**
   * Ends the requests that are over (in the chain already, or rejected), after their removal from the journal is durable. Rejects if the store fails.
   * Needed wherever blocks come otherwise than by `deliver`, whose own write removes what it holds.
   */
  async reconcile(): Promise<void> {
    const batch = this.options.store.batch()
    const ended: (readonly [RequestId, RequestOutcomeReport])[] = []
    for (const { request } of this.requests.values()) {
      const report = this.options.ended(request)
      if (!report) continue
      this.remove(batch, request.id)
      ended.push([request.id, report])
    }
    if (batch.size > 0) await this.options.store.commit(batch, 'record')
    for (const [id, report] of ended) this.settle(id, report)
  }

  /** Journaled requests without outcome, in the order of submission. */
  open(): EngineRequest[] {
    return [...this.requests.values()].filter(({ stage }) => stage === 'journaled').map(({ request }) => request)
  }

  /** See `Consensus.submit`; `bytes` are canonical. `isHosts`: a call of the host itself, for which there is always room. Accepted only when it is written. Throws ERR_CONSENSUS_OVERLOADED and ERR_CONSENSUS_TOO_LARGE. */
  submit(bytes: Uint8Array, { isNew, transaction, traceParent, origin }: SubmitHints, isHosts = false): AcceptedRequest {
    const { counters, probe } = this.options
    const id = requestId(bytes)
    const pending = this.requests.get(id)
    if (pending && counters) counters.duplicates++
    if (pending) return new AcceptedRequest(pending, true, pending.stage === 'journaled' ? undefined : this.written(pending))
    const report = isNew ? undefined : this.options.ended({ id, bytes }, transaction)
    if (report && counters) counters.duplicates++
    if (report) return AcceptedRequest.ended({ id, bytes }, report)
    if (!isHosts) this.checkRoom(bytes.length, origin)
    const kept = bytes.length > MAX_KEPT_DECODING_BYTES ? undefined : transaction
    const pooled = this.add(id, bytes, Math.max(this.nextSequence, Math.floor(this.options.now() * 1000)), kept, origin)
    if (counters) counters.accepted++
    probe?.submitted(id, traceParent, transaction?.txid)
    return new AcceptedRequest(pooled, false, this.gather(pooled).written)
  }

  /**
   * Throws ERR_CONSENSUS_OVERLOADED if a request of so many bytes has no room, or its origin has its fair share, ERR_CONSENSUS_TOO_LARGE if it can never have.
   * Requests without an origin, such as those of operators, have the whole room.
   */
  checkRoom(bytes: number, origin: string | undefined): void {
    const { maxRequestBytes } = this.options.limits
    const { counters } = this.options
    const bound = this.room.bound()
    const free = { requests: bound - this.requests.size, bytes: maxRequestBytes - this.bytes }
    if (free.requests > 0 && free.bytes >= bytes && (origin === undefined || this.shares.admits(origin, bytes, free))) return
    if (counters) counters.refusedForRoom++
    if (bytes <= maxRequestBytes) throw this.refusal(bytes, bound, origin)
    throw new PeerError('ERR_CONSENSUS_TOO_LARGE', `a transaction may have ${maxRequestBytes} bytes here; found ${bytes}`, { grpcStatus: 3 })
  }

  /** What the bytes of this validator's own request decode to, if that was kept. */
  decoded({ id, bytes }: EngineRequest): Transaction | undefined {
    const pooled = this.requests.get(id)
    // The very bytes that were decoded: an id alone may be a claim of whoever made the request.
    return pooled?.request.bytes === bytes ? pooled.transaction : undefined
  }

  /** Whether a request is one of this validator's, with these very bytes: its id may be a claim. */
  owns({ id, bytes }: EngineRequest): boolean {
    const pooled = this.requests.get(id)
    return pooled !== undefined && (pooled.request.bytes === bytes || Buffer.compare(pooled.request.bytes, bytes) === 0)
  }

  /** Adds the removal of a request from the journal to a batch. Not this validator's: nothing happens. */
  remove(batch: StoreBatch, id: RequestId): void {
    const pooled = this.requests.get(id)
    // Not on its way to the disk yet: leaving it out of the write is the removal. Otherwise the store keeps this after its write.
    if (pooled?.stage === 'gathered') pooled.stage = 'over'
    else if (pooled) this.journal.delete(batch, pooled.sequence)
  }

  /** A request's outcome is durable. */
  settle(id: RequestId, report: RequestOutcomeReport): void {
    const { counters, probe } = this.options
    const pooled = this.take(id)
    if (!pooled) return
    if (counters && report.status === 'committed') counters.committed++
    else if (counters) counters.rejected++
    probe?.ended(id, report)
    pooled.finish(report)
  }

  /** The engine dropped a request. */
  drop(id: RequestId): void {
    const { counters, probe } = this.options
    const pooled = this.take(id)
    if (!pooled) return
    if (counters) counters.dropped++
    probe?.failed(id, 'the consensus engine dropped it')
    pooled.fail(new PeerError('ERR_CONSENSUS_DROPPED', `the consensus engine dropped request ${id} without executing it`, { retryable: true }))
  }

  /** Ends the waiting of those who asked for outcomes, and of those whose request will not reach the disk any more. */
  abandon(reason: string): void {
    this.gathering?.reject(new PeerError('ERR_CONSENSUS_STOPPED', `the request was not accepted: ${reason}`, { grpcStatus: 14, retryable: true }))
    this.gathering = undefined
    for (const pooled of this.requests.values()) {
      pooled.fail(
        new PeerError(
          'ERR_CONSENSUS_STOPPED',
          `the outcome of request ${pooled.request.id} is not known: ${reason} (it is journaled: a peer that starts again orders it)`,
          {
            grpcStatus: 14,
          },
        ),
      )
    }
  }

  /** Resolves when everything accepted so far is on disk. */
  async flushed(): Promise<void> {
    while (this.gathering || this.isWriting) await (this.gathering ?? this.writingNow)?.written
  }

  private take(id: RequestId): PooledRequest | undefined {
    const pooled = this.requests.get(id)
    if (!pooled) return undefined
    this.requests.delete(id)
    this.bytes -= pooled.request.bytes.length
    if (pooled.origin !== undefined) this.shares.left(pooled.origin, pooled.request.bytes.length)
    this.room.left(this.requests.size === 0)
    this.options.counters?.waits(this.requests.size)
    return pooled
  }

  private written(pooled: PooledRequest): Promise<void> | undefined {
    return pooled.stage === 'gathered' ? this.gathering?.written : this.writingNow?.written
  }

  private add(id: RequestId, bytes: Uint8Array, sequence: number, transaction?: Transaction, origin?: string): PooledRequest {
    if (this.requests.size === 0) this.sinceMs = this.options.elapsedMs()
    this.room.entered(this.requests.size === 0)
    const pooled = new PooledRequest({ id, bytes, acceptedAt: sequence }, sequence, transaction, origin)
    this.requests.set(id, pooled)
    this.options.counters?.waits(this.requests.size)
    this.bytes += bytes.length
    if (origin !== undefined) this.shares.entered(origin, bytes.length)
    this.nextSequence = Math.max(this.nextSequence, sequence + 1)
    return pooled
  }

  private refusal(bytes: number, bound: number, origin: string | undefined): PeerError {
    const { maxRequestBytes } = this.options.limits
    const retryAfterMs = this.room.refuse()
    const room = `${this.requests.size} of ${bound} requests with ${this.bytes} of ${maxRequestBytes} bytes are waiting to be ordered`
    const own = origin === undefined ? 0 : this.shares.of(origin)
    const full = this.requests.size >= bound || this.bytes + bytes > maxRequestBytes
    const found = full
      ? `${room}: no room for another one${bytes > 0 ? ` of ${bytes} bytes` : ''}`
      : `${room}, ${own} of them from ${origin}: the rest is kept for others`
    // Refusing must be cheap, and it always happens here: no stack.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    try {
      return new PeerError('ERR_CONSENSUS_OVERLOADED', found, {
        grpcStatus: 8,
        retryable: true,
        hint: `try again in ${retryAfterMs} ms, with fewer requests at a time`,
        details: { retryAfterMs, pending: this.requests.size },
      })
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  private gather(pooled: PooledRequest): Gathering {
    const gathering = (this.gathering ??= newGathering())
    gathering.requests.push(pooled)
    this.schedule()
    return gathering
  }

  private schedule(): void {
    if (this.isScheduled || this.isWriting || !this.gathering) return
    this.isScheduled = true
    this.options.defer(() => {
      this.isScheduled = false
      this.write()
    })
  }

  private write(): void {
    const { gathering } = this
    if (!gathering || this.isWriting) return
    this.gathering = undefined
    this.writingNow = gathering
    this.isWriting = true
    const batch = this.options.store.batch()
    for (const pooled of gathering.requests) {
      if (pooled.stage === 'over') continue
      pooled.stage = 'writing'
      this.journal.put(batch, pooled.sequence, pooled.request.bytes)
    }
    const written = batch.size === 0 ? Promise.resolve() : this.options.store.commit(batch, 'record')
    written.then(
      () => this.wrote(gathering),
      (reason: unknown) => {
        this.options.fatal(reason)
        gathering.reject(reason)
      },
    )
  }

  private wrote(gathering: Gathering): void {
    this.isWriting = false
    this.writingNow = undefined
    gathering.resolve()
    for (const pooled of gathering.requests) {
      // It may have come back in a block that another validator's copy of it got into.
      if (pooled.stage === 'over') continue
      pooled.stage = 'journaled'
      this.options.probe?.journaled(pooled.request.id)
      this.options.ready(pooled.request)
    }
    this.schedule()
  }
}

function newGathering(): Gathering {
  const settle = { resolve: (): void => undefined, reject: (_reason: unknown): void => undefined }
  const written = new Promise<void>((resolve, reject) => {
    settle.resolve = resolve
    settle.reject = reject
  })
  return { requests: [], written, ...settle }
}
