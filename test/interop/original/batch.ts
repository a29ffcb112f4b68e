import { decode, encode, pbft, Transaction } from '../../../proto/index.js'
import { Core } from './core.js'
import { digestOf } from './core-base.js'
import type { CoreOptions, Event } from './core-events.js'
import { Panic, type Surroundings } from './surroundings.js'
import { Timer } from './timer.js'

type Request = pbft.Request

export interface BatchOptions extends CoreOptions {
  readonly batchSize: number
  readonly batchMs: number
}

/** The stack of an original, as far as PBFT uses it (§2). */
export interface Stack {
  /** The payload of a CONSENSUS message to all replicas, or one. */
  send(payload: Uint8Array, to: number | 'all'): void
  execute(tag: Uint8Array, transactions: readonly Uint8Array[]): void
  commit(metadata: Uint8Array): void
  updateState(n: number, id: Uint8Array, peers: readonly string[]): void
  blob(): Uint8Array
  headMetadata(): Uint8Array
  setValid(valid: boolean): void
}

/** An ordered set by request digest (§12.1). */
class Requests {
  readonly map = new Map<string, Request>()
  add(request: Request): void {
    const d = digestOf(encode(pbft.Request, request))
    if (!this.map.has(d)) this.map.set(d, request)
  }
  remove(request: Request): void {
    this.map.delete(digestOf(encode(pbft.Request, request)))
  }
}

const nanosOf = ({ timestamp }: Request): bigint => {
  if (!timestamp) throw new Panic('a request without timestamp')
  return timestamp.seconds * 1_000_000_000n + BigInt(timestamp.nanos)
}

/** The batch engine of an original and its event loop (§3.5, §12). */
export class BatchEngine {
  readonly core: Core
  outstanding = new Requests()
  pending = new Requests()
  batchStore: Request[] = []
  readonly execTimes = new Map<bigint, bigint>()
  private batchTimerActive = false
  private readonly batchTimer: Timer<Event>
  private readonly queue: { readonly event: Event; readonly isCurrent: () => boolean }[] = []
  private isRunning = false
  private isHalted = false
  dropped = 0

  constructor(
    private readonly options: BatchOptions,
    private readonly stack: Stack,
    store: Map<string, Uint8Array>,
    private readonly world: Surroundings,
    private readonly panicked: (reason: unknown) => void,
  ) {
    const enqueue = (event: Event, isCurrent: () => boolean = () => true): void => this.push(event, isCurrent)
    this.batchTimer = new Timer<Event>(world, enqueue)
    this.core = new Core(
      options,
      {
        broadcast: (payload) => this.say(payload, 'all'),
        unicast: (payload, to) => this.say(payload, to),
        execute: (n, batch) => this.execute(n, batch),
        getState: () => stack.blob(),
        lastSeqNo: () => decode(pbft.Metadata, stack.headMetadata()).seqNo,
        skipTo: ({ n, id, replicas }) =>
          stack.updateState(
            n,
            id,
            (replicas ?? []).map((replica) => `vp${replica}`),
          ),
        validate: (valid) => stack.setValid(valid),
      },
      store,
      world,
      enqueue,
    )
    this.push({ is: 'startUp' })
  }

  halt(): void {
    this.isHalted = true
    this.core.halt()
    this.batchTimer.stop()
    this.queue.length = 0
  }

  push(event: Event, isCurrent: () => boolean = () => true): void {
    if (this.isHalted) return
    this.queue.push({ event, isCurrent })
    if (!this.isRunning) this.run()
  }

  private run(): void {
    this.isRunning = true
    try {
      for (let next = this.queue.shift(); next && !this.isHalted; next = this.queue.shift()) {
        if (!next.isCurrent()) continue
        let event: Event | undefined = next.event
        while (event && !this.isHalted) {
          event = this.process(event)
        }
      }
    } catch (error) {
      this.halt()
      this.panicked(error)
    } finally {
      this.isRunning = false
    }
  }

  private say(payload: pbft.Payload, to: number | 'all'): void {
    const message = encode(pbft.Message, { payload })
    this.stack.send(encode(pbft.BatchMessage, { payload: { $case: 'pbftMessage', value: message } }), to)
  }

  private process(event: Event): Event | undefined {
    const { core } = this
    switch (event.is) {
      case 'transaction':
        return this.onTransaction(event.payload)
      case 'consensus':
        return this.onConsensus(event.from, event.payload)
      case 'executed':
        this.stack.commit(event.tag)
        return undefined
      case 'committed':
        return { is: 'executionDone' }
      case 'executionDone':
        return core.process(event) ?? this.resubmit()
      case 'batchTimer':
        return core.activeView && this.batchStore.length > 0 ? this.sendBatch() : undefined
      case 'viewChanged':
        return this.onViewChanged()
      case 'stateUpdated':
        this.outstanding = new Requests()
        this.pending = new Requests()
        return core.process(event)
      case 'message': {
        const next = core.process(event)
        if (event.message.$case === 'commit') this.startRequestTimer()
        return next
      }
      case 'newViewTimer':
      case 'resendTimer':
      case 'nullRequestTimer':
      case 'quorum':
      case 'requestBatch':
      case 'startUp':
        break
    }
    return core.process(event)
  }

  private onTransaction(payload: Uint8Array): Event | undefined {
    const request: Request = { timestamp: this.world.time(), payload, replicaId: BigInt(this.options.id), signature: new Uint8Array(0) }
    this.stack.send(encode(pbft.BatchMessage, { payload: { $case: 'request', value: request } }), 'all')
    this.outstanding.add(request)
    this.startRequestTimer()
    return this.core.isPrimary && this.core.activeView ? this.leaderQueue(request) : undefined
  }

  private onConsensus(from: string, payload: Uint8Array): Event | undefined {
    let told: pbft.BatchMessage['payload']
    try {
      told = decode(pbft.BatchMessage, payload).payload
    } catch {
      this.world.log(`what ${from} sent cannot be read`)
      return undefined
    }
    if (told?.$case === 'request') return this.onRequest(told.value)
    if (told?.$case !== 'pbftMessage') return undefined
    const number = /^vp(\d+)$/.exec(from)?.[1]
    if (number === undefined) throw new Panic(`a pbft message of ${from}, which is no replica`)
    try {
      const message = decode(pbft.Message, told.value).payload
      if (message) return { is: 'message', from: Number(number), message }
    } catch {
      this.world.log(`a pbft message of ${from} cannot be read`)
    }
    return undefined
  }

  private onRequest(request: Request): Event | undefined {
    if (!(nanosOf(request) > (this.execTimes.get(request.replicaId) ?? -62_135_596_800_000_000_000n))) {
      this.dropped++
      this.world.log(`a request of vp${request.replicaId} is too old`)
      return undefined
    }
    this.outstanding.add(request)
    if (this.core.isPrimary && this.core.activeView) return this.leaderQueue(request)
    this.startRequestTimer()
    return undefined
  }

  private leaderQueue(request: Request): Event | undefined {
    this.batchStore.push(request)
    this.pending.add(request)
    if (!this.batchTimerActive) {
      this.batchTimer.reset(this.options.batchMs, { is: 'batchTimer' })
      this.batchTimerActive = true
    }
    return this.batchStore.length >= this.options.batchSize ? this.sendBatch() : undefined
  }

  private sendBatch(): Event | undefined {
    this.batchTimer.stop()
    this.batchTimerActive = false
    if (this.batchStore.length === 0) return undefined
    const batch = { batch: this.batchStore }
    this.batchStore = []
    return { is: 'requestBatch', batch }
  }

  private get hasNonPending(): boolean {
    return this.outstanding.map.size > this.pending.map.size
  }

  private startRequestTimer(): void {
    const { core } = this
    if (core.skipInProgress || core.currentExec !== undefined || !core.activeView) return
    if (this.hasNonPending) core.softStartRequestTimer()
  }

  private onViewChanged(): Event | undefined {
    const { core } = this
    this.batchStore = []
    core.outstanding = new Map()
    if (this.batchTimerActive) {
      this.batchTimer.stop()
      this.batchTimerActive = false
    }
    if (core.skipInProgress) this.outstanding = new Requests()
    this.pending = new Requests()
    for (const { v, n, prePrepare } of core.log.certs.values())
      if (v === core.view && n > core.lastExec && n > core.h && n <= core.h + core.L && prePrepare && prePrepare.batchDigest !== '')
        for (const request of prePrepare.requestBatch?.batch ?? []) this.pending.add(request)
    return this.resubmit()
  }

  private resubmit(): undefined {
    this.startRequestTimer()
    const { core } = this
    if (!core.isPrimary || !core.activeView || core.currentExec !== undefined) return
    const most = this.options.batchSize - this.batchStore.length
    while (this.hasNonPending) {
      const next = [...this.outstanding.map].filter(([d]) => !this.pending.map.has(d)).slice(0, most)
      if (next.length === 0) return
      for (const [, request] of next) {
        const batch = this.leaderQueue(request)
        if (batch) core.process(batch)
      }
    }
  }

  private execute(n: number, batch: pbft.RequestBatch): void {
    const transactions: Uint8Array[] = []
    for (const request of batch.batch) {
      try {
        transactions.push(encode(Transaction, decode(Transaction, request.payload)))
      } catch {
        this.world.log(`what is no transaction is left out of ${n}`)
        continue
      }
      this.outstanding.remove(request)
      this.pending.remove(request)
      const at = nanosOf(request)
      if (at > (this.execTimes.get(request.replicaId) ?? -62_135_596_800_000_000_000n)) this.execTimes.set(request.replicaId, at)
    }
    this.stack.execute(encode(pbft.Metadata, { seqNo: n }), transactions)
  }
}
