import type { RequestOutcomeReport } from './consensus.js'
import type { RequestId } from './engine/engine.js'

/**
 * Sees the moments of transactions that were submitted to this validator, for tracing. Called synchronously on the way of every transaction:
 * it must be quick and must not throw.
 */
export interface TransactionProbe {
  /** At the door, before it is journaled. `traceParent`: W3C trace context of the caller; `txid`, if the door has told it. */
  submitted(id: RequestId, traceParent: string | undefined, txid: string | undefined): void
  /** On disk, and handed to the engine. */
  journaled(id: RequestId): void
  /** Ordered: the batch that holds it begins to be executed. */
  executing(ids: Iterable<RequestId>): void
  /** The batch is executed; now it is written. */
  executed(ids: Iterable<RequestId>): void
  /** It has its outcome. */
  ended(id: RequestId, report: RequestOutcomeReport): void
  /** It has none: the engine dropped it, or its journal row could not be written. */
  failed(id: RequestId, reason: string): void
}

/** Who looks on; undefined: nobody, and nothing is called. */
export interface Tracing {
  readonly probe: TransactionProbe | undefined
}
