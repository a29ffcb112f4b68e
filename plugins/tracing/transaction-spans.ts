import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { TransactionProbe } from '../consensus/index.js'
import { parseTraceParent } from './trace-parent.js'

/** Sampled transactions on their way at a time; further ones are not traced. */
const MAX_OPEN = 10_000

type RequestId = Parameters<TransactionProbe['submitted']>[0]

/** A transaction on its way: the moments so far, in milliseconds since 1970. */
interface Way {
  readonly span: Span
  readonly submittedMs: number
  journaledMs?: number
  executingMs?: number
  executedMs?: number
}

/**
 * Spans of transactions that were submitted here: `transaction`, and below it `submit` (until it is on disk), `order` (until its batch is executed),
 * `execute` and `commit`. They are made when the transaction has its outcome; on the way only moments are noted, and only of those that are sampled.
 */
export class TransactionSpans implements TransactionProbe {
  readonly #ways = new Map<RequestId, Way>()

  constructor(
    private readonly tracer: Tracer,
    private readonly nowMs: () => number,
  ) {}

  submitted(id: RequestId, traceParent: string | undefined, txid: string | undefined): void {
    if (this.#ways.size >= MAX_OPEN) return
    const submittedMs = this.nowMs()
    const parent = traceParent === undefined ? undefined : parseTraceParent(traceParent)
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    const attributes = { 'weft.request.id': id, ...(txid === undefined ? {} : { 'weft.txid': txid }) }
    const span = this.tracer.startSpan('transaction', { kind: SpanKind.SERVER, startTime: submittedMs, attributes }, context)
    if (span.isRecording()) this.#ways.set(id, { span, submittedMs })
  }

  journaled(id: RequestId): void {
    const way = this.#ways.get(id)
    if (way !== undefined) way.journaledMs = this.nowMs()
  }

  executing(ids: Iterable<RequestId>): void {
    if (this.#ways.size === 0) return
    const nowMs = this.nowMs()
    for (const id of ids) {
      const way = this.#ways.get(id)
      if (way !== undefined) way.executingMs = nowMs
    }
  }

  executed(ids: Iterable<RequestId>): void {
    if (this.#ways.size === 0) return
    const nowMs = this.nowMs()
    for (const id of ids) {
      const way = this.#ways.get(id)
      if (way !== undefined) way.executedMs = nowMs
    }
  }

  ended(id: RequestId, report: Parameters<TransactionProbe['ended']>[1]): void {
    const way = this.#take(id)
    if (way === undefined) return
    way.span.setAttributes({ 'weft.outcome': report.status, 'weft.block': Number(report.block) })
    if (report.status === 'rejected') way.span.setStatus({ code: SpanStatusCode.ERROR, message: report.error })
    this.#finish(way)
  }

  failed(id: RequestId, reason: string): void {
    const way = this.#take(id)
    if (way !== undefined) this.#fail(way, reason)
  }

  /** The peer stops: what is on its way has no outcome here. */
  stop(reason: string): void {
    for (const way of this.#ways.values()) this.#fail(way, reason)
    this.#ways.clear()
  }

  #take(id: RequestId): Way | undefined {
    const way = this.#ways.get(id)
    this.#ways.delete(id)
    return way
  }

  #fail(way: Way, reason: string): void {
    way.span.setStatus({ code: SpanStatusCode.ERROR, message: reason })
    this.#finish(way)
  }

  #finish({ span, submittedMs, journaledMs, executingMs, executedMs }: Way): void {
    const endMs = this.nowMs()
    const parent = trace.setSpan(ROOT_CONTEXT, span)
    const stage = (name: string, fromMs: number | undefined, toMs: number | undefined): void => {
      if (fromMs !== undefined) this.tracer.startSpan(name, { startTime: fromMs }, parent).end(toMs ?? endMs)
    }
    stage('submit', submittedMs, journaledMs)
    stage('order', journaledMs, executingMs)
    stage('execute', executingMs, executedMs)
    stage('commit', executedMs, endMs)
    span.end(endMs)
  }
}
