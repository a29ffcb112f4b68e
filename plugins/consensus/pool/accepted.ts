import type { PeerError } from '../../../kernel/index.js'
import type { Transaction } from '../../../proto/index.js'
import type { Accepted, RequestOutcomeReport } from '../consensus.js'
import type { EngineRequest, RequestId } from '../engine/engine.js'

/** Where a request of the pool is: gathered (not on disk), being written, on disk, or over. */
export type RequestStage = 'gathered' | 'writing' | 'journaled' | 'over'

/** A request that this validator accepted and owns until its outcome is known. */
export class PooledRequest {
  stage: RequestStage = 'gathered'
  private report: RequestOutcomeReport | undefined
  private failure: PeerError | undefined
  private waiters: { resolve(report: RequestOutcomeReport): void; reject(reason: unknown): void }[] | undefined

  constructor(
    readonly request: EngineRequest,
    readonly sequence: number,
    /** What the request's bytes decode to, if the submitter said so. */
    readonly transaction?: Transaction,
    readonly origin?: string,
  ) {}

  /** The outcome; a promise exists only for those who ask. */
  outcome(): Promise<RequestOutcomeReport> {
    if (this.report) return Promise.resolve(this.report)
    if (this.failure) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      this.waiters ??= []
      this.waiters.push({ resolve, reject })
    })
  }

  finish(report: RequestOutcomeReport): void {
    this.stage = 'over'
    this.report = report
    for (const waiter of this.waiters ?? []) waiter.resolve(report)
    this.waiters = undefined
  }

  /** There will be no outcome here. */
  fail(failure: PeerError): void {
    this.stage = 'over'
    this.failure = failure
    for (const waiter of this.waiters ?? []) waiter.reject(failure)
    this.waiters = undefined
  }
}

/** The receipt of one `submit`. */
export class AcceptedRequest implements Accepted {
  constructor(
    private readonly pooled: PooledRequest,
    readonly duplicate: boolean,
    /** Settles when the request is on disk; nothing: it is. */
    readonly written?: Promise<void>,
  ) {}

  /** Of a request that had ended before it was submitted (again): a client that got no answer may ask twice. */
  static ended(request: EngineRequest, report: RequestOutcomeReport): AcceptedRequest {
    const pooled = new PooledRequest(request, 0)
    pooled.finish(report)
    return new AcceptedRequest(pooled, true)
  }

  get id(): RequestId {
    return this.pooled.request.id
  }

  outcome(): Promise<RequestOutcomeReport> {
    return this.pooled.outcome()
  }
}
