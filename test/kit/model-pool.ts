import type { EngineRequest, MemberIndex, RequestId, RequestOutcomeReport } from '../../plugins/consensus/index.js'
import type { Invariants } from './invariants.js'
import type { ModelLibrary, ModelTransaction } from './model-chain.js'
import { type ModelDisk, modelWrite } from './model-disk.js'
import type { TraceSink } from './trace.js'

interface Pooled {
  readonly request: EngineRequest
  /** In the journal. */
  isJournaled: boolean
  /** Somebody waits for the answer: all requests but those of an earlier life. */
  hasClient: boolean
}

export interface ModelPoolOptions {
  readonly self: MemberIndex
  readonly endpoint: number
  readonly library: ModelLibrary
  readonly disk: ModelDisk
  readonly invariants: Invariants
  readonly sink: TraceSink | undefined
  /** Requests that are safe on disk, in the order of submission. */
  readonly ready: (request: EngineRequest) => void
}

/** The requests that a modelled host accepted and that have no outcome yet. */
export class ModelPool {
  readonly #requests = new Map<ModelTransaction, Pooled>()

  constructor(private readonly options: ModelPoolOptions) {
    const { disk } = options
    for (const [transaction, request] of disk.image.journal) this.#requests.set(transaction, { request, isJournaled: true, hasClient: false })
  }

  get size(): number {
    return this.#requests.size
  }

  owns(transaction: ModelTransaction): boolean {
    return this.#requests.has(transaction)
  }

  /** Journaled requests without outcome, in the order of submission. */
  open(): EngineRequest[] {
    const open: EngineRequest[] = []
    for (const { request, isJournaled } of this.#requests.values()) if (isJournaled) open.push(request)
    return open
  }

  /** A client submits. What the chain holds is answered at once, unless it is said to be `isNew`. */
  submit(transaction: ModelTransaction, isNew: boolean): void {
    const { disk, library } = this.options
    const known = this.#requests.get(transaction)
    if (known) {
      if (known.isJournaled && !known.hasClient && !isNew) this.#accepted(transaction)
      known.hasClient ||= !isNew
      return
    }
    const place = isNew ? undefined : disk.image.places.get(transaction)
    if (place) {
      this.#accepted(transaction)
      return this.#report(transaction, { status: 'committed', ...place })
    }
    const pooled: Pooled = { request: { id: library.idOf(transaction), bytes: transaction.bytes }, isJournaled: false, hasClient: !isNew }
    this.#requests.set(transaction, pooled)
    const journaled = (): void => {
      pooled.isJournaled = true
      if (pooled.hasClient) this.#accepted(transaction)
      if (this.#requests.get(transaction) === pooled) this.options.ready(pooled.request)
    }
    disk.write(modelWrite(journaled, { accepted: [[transaction, pooled.request]] }))
  }

  /** A request's outcome is durable. */
  settle(transaction: ModelTransaction, report: RequestOutcomeReport): void {
    const pooled = this.#requests.get(transaction)
    if (!pooled) return
    this.#requests.delete(transaction)
    if (pooled.hasClient) this.#report(transaction, report)
  }

  /** Own requests with these ids. */
  named(ids: readonly RequestId[]): ModelTransaction[] {
    const wanted = new Set(ids)
    return [...this.#requests].flatMap(([transaction, { request }]) => (wanted.has(request.id) ? [transaction] : []))
  }

  /** The engine dropped a request. */
  drop(transaction: ModelTransaction): void {
    this.#requests.delete(transaction)
  }

  /** After an engine was let go: what it had dropped stays dropped if that is durable. Then `over` is called. */
  reconcile(over: () => void): void {
    const { disk } = this.options
    const ended = [...this.#requests.keys()].filter((transaction) => disk.image.places.has(transaction))
    if (ended.length === 0) return over()
    const written = (): void => {
      for (const transaction of ended) {
        const place = disk.image.places.get(transaction)
        if (place) this.settle(transaction, { status: 'committed', ...place })
      }
      over()
    }
    disk.write(modelWrite(written, { over: ended }))
  }

  #accepted({ bytes, txid = '' }: ModelTransaction): void {
    const { invariants, self, sink, endpoint } = this.options
    invariants.accepted(self, bytes, txid)
    sink?.add({ type: 'accepted', at: endpoint, txid })
  }

  #report({ bytes }: ModelTransaction, report: RequestOutcomeReport): void {
    this.options.invariants.reported(this.options.self, bytes, report)
  }
}
