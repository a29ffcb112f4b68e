import { assert, type Clock, type Logger, messageOf, PeerError } from '../../kernel/index.js'
import { canonicalTransaction } from '../../proto/index.js'
import type { Store } from '../level/index.js'
import { createCarrier } from './carrier.js'
import type { Accepted, Consensus, ConsensusStatus, ConsensusTransport, StateTransfer, SubmitHints } from './consensus.js'
import type { ConsensusCounters, HostQueues } from './counters.js'
import { createCrypto } from './crypto.js'
import { Deliveries, headMetadata } from './deliveries.js'
import type { EngineFactory, Member, MemberIndex } from './engine.js'
import type { EngineEvent } from './events.js'
import { BlockExecution, committedReport, headOf, type HostChaincode, type HostLedger } from './execution.js'
import { type AgreedHead, HeadWatch } from './heads.js'
import { Inbox } from './inbox.js'
import { type ConsensusLimits, defaultLimits } from './limits.js'
import { Outbox, type OutboundMessage } from './outbox.js'
import { RequestPool } from './pool.js'
import type { TransactionProbe } from './probe.js'
import { createRandom } from './random.js'
import { requestsFrom } from './recent-requests.js'
import { createRecorder } from './recorder.js'
import { createEngineRecords } from './records.js'
import { repair } from './repair.js'
import { EngineRunner } from './runner.js'
import type { ConsensusSigner } from './signer.js'
import { EngineTimers } from './timers.js'

/** Sees a run, for recording and for the test kit. Called synchronously; must not call the host. */
export interface HostObserver {
  /** Before its handler runs. */
  event?(event: EngineEvent): void
  /** As it leaves, after its write is durable. */
  sent?(message: OutboundMessage): void
}

/** Everything that a host needs: no kernel, no gRPC. */
export interface ConsensusHostOptions {
  readonly store: Store
  readonly ledger: HostLedger
  readonly chaincode: HostChaincode
  /** `options` are raw: the factory parses them. */
  readonly engine: { readonly factory: EngineFactory; readonly options: unknown }
  readonly members: readonly Member[]
  readonly self: MemberIndex
  readonly epoch: bigint
  readonly seed: bigint
  readonly clock: Clock
  readonly log: Logger
  /** None: this validator is alone. */
  readonly transport?: ConsensusTransport
  /** To other Weft hosts, for their own notes. None: chains are not compared. */
  readonly notes?: ConsensusTransport
  /** None: v0.6 with security off (spec/consensus.md §2.4). */
  readonly signer?: ConsensusSigner
  /** None: only the current head can be reached. */
  readonly transfer?: StateTransfer
  readonly limits?: Partial<ConsensusLimits>
  /** Runs a task soon, after what the present turn of the event loop brings. Default: a timer of the clock without delay. */
  readonly defer?: (task: () => void) => void
  /** The peer must stop: a write failed. Called once. */
  readonly onFatal: (reason: unknown) => void
  readonly observer?: HostObserver
  /** Where it counts what becomes of requests. */
  readonly counters?: ConsensusCounters | undefined
  /** Sees the moments of requests. */
  readonly probe?: TransactionProbe | undefined
}

/** One engine and everything slow around it. */
export interface ConsensusHost extends Consensus {
  /** Restores the engine's records, makes the engine, feeds it the journal and binds the transport. Throws what `parseOptions` throws. */
  start(): Promise<void>
  /** Stops accepting, lets a delivery in progress finish (bounded by `limits.stopTimeoutMs`), disposes the engine. */
  stop(): Promise<void>
  /** Stops at once, as a power cut would: nothing further runs, is sent or written. For simulators. */
  kill(): void
  /** The engine's metrics by name, and the host's own, whose names begin with `host_`. */
  readonly metrics: ReadonlyMap<string, number>
  queues(): HostQueues
}

/** Makes the host of one engine for one epoch (design §5). */
export function createConsensusHost(options: ConsensusHostOptions): ConsensusHost {
  return new EngineHostProcess(options)
}

const NO_HINTS: SubmitHints = Object.freeze({})

type Phase = 'new' | 'running' | 'stopping' | 'over'

class EngineHostProcess implements ConsensusHost {
  readonly metrics = new Map<string, number>()
  private readonly limits: ConsensusLimits
  private readonly runner: EngineRunner
  private readonly pool: RequestPool
  private readonly timers: EngineTimers
  private readonly inbox: Inbox
  private readonly outbox: Outbox
  private readonly deliveries: Deliveries
  private readonly records
  private phase: Phase = 'new'
  private halted: string | undefined
  private stopped: Promise<void> | undefined
  private isValid = true
  private view: Readonly<Record<string, unknown>> = {}
  private readonly recorder
  private readonly watch: HeadWatch | undefined
  private readonly connected = new Set<MemberIndex>()
  private divergence: string | undefined
  private isRepairing = false
  private lookedAtHeight = -1n
  private looksBehind = 0

  constructor(private readonly options: ConsensusHostOptions) {
    const { store, ledger, members, self, clock, log, signer, observer, counters, probe } = options
    assert(members[self]?.index === self && members.every(({ index }, position) => index === position), 'members are listed by index and hold self')
    this.limits = { ...defaultLimits, ...options.limits }
    const defer = this.whileAlive(options.defer ?? ((task) => void clock.setTimer(0, task)))
    const answer = (event: EngineEvent): void => this.answer(event)
    const fault = (reason: string): void => this.halt(reason)
    const fatal = (reason: unknown): void => this.die(reason)
    this.watch = this.createWatch()
    this.records = createEngineRecords(store, options.epoch)
    this.recorder = createRecorder({
      self,
      members,
      head: headOf(ledger.info()),
      deliveryWindow: this.limits.deliveryWindow,
      random: createRandom(options.seed),
    })
    this.pool = new RequestPool({
      store,
      limits: this.limits,
      defer,
      counters,
      probe,
      ready: (request) => answer({ type: 'request', request }),
      committed: (request) => committedReport(ledger, request),
      fatal,
    })
    this.timers = new EngineTimers(clock, defer, (name, generation) => answer({ type: 'timer', name, generation }))
    this.outbox = new Outbox(
      (message) => this.transmit(message),
      () => this.inbox.resume(),
    )
    this.inbox = new Inbox({
      members: members.length,
      self,
      maxPerMember: this.limits.maxInboundPerMember,
      maxBytesPerMember: this.limits.maxInboundBytesPerMember,
      clock,
      log,
      defer,
      deliver: answer,
      dropped: (total) => void this.metrics.set('host_messages_dropped_total', total),
      isPaused: () => this.outbox.waiting > this.limits.maxWaitingSends,
    })
    this.deliveries = new Deliveries({
      execution: new BlockExecution(ledger, options.chaincode, log, (request) => this.pool.decoded(request)),
      ledger,
      pool: this.pool,
      records: this.records,
      window: this.limits.deliveryWindow,
      transfer: options.transfer,
      probe,
      answer,
      fault,
      fatal,
    })
    const carryOut = createCarrier({
      store,
      records: this.records,
      pool: this.pool,
      outbox: this.outbox,
      deliveries: this.deliveries,
      timers: this.timers,
      crypto: createCrypto({ signer, members, answer, fault }),
      log,
      others: members.map(({ index }) => index).filter((index) => index !== self),
      metrics: this.metrics,
      setValid: (valid) => {
        this.isValid = valid
      },
      setView: (view) => {
        this.view = view
      },
      halt: fault,
      isOver: () => this.halted !== undefined || this.phase === 'over',
      fatal,
    })
    this.runner = new EngineRunner({
      recorder: this.recorder,
      now: logicalTime(clock),
      claimTimer: (name, generation) => this.timers.claim(name, generation),
      carryOut,
      fault,
      observe: observer?.event && ((event) => observer.event?.(event)),
    })
  }

  get valid(): boolean {
    return this.isValid && !this.isRepairing
  }

  async start(): Promise<void> {
    assert(this.phase === 'new', 'a host is started once')
    const { transport } = this.options
    const engineOptions = this.options.engine.factory.parseOptions(this.options.engine.options)
    const restored = await this.records.load()
    await this.pool.restore()
    // A transfer may have brought their blocks just before the peer died.
    await this.pool.reconcile()
    if (this.wasEnded()) return
    this.phase = 'running'
    this.begin(engineOptions, restored)
    this.lookAround()
    transport?.receive({
      message: (from, bytes) => this.inbox.message(from, bytes),
      peer: (member, up) => {
        if (up) this.connected.add(member)
        else this.connected.delete(member)
        this.inbox.peer(member, up)
      },
    })
  }

  /** Makes the engine and feeds it the journal. */
  private begin(engineOptions: unknown, restored: ReadonlyMap<string, Uint8Array>, divergedAt?: bigint): void {
    const { engine, ledger, epoch, members, seed, log } = this.options
    const requests = this.pool.open()
    const head = headOf(ledger.info())
    this.recorder.head = head
    const begun = this.runner.begin(() =>
      engine.factory.create(this.recorder.host, engineOptions, {
        epoch,
        head,
        metadata: headMetadata(ledger),
        restored,
        members,
        executed: requestsFrom(ledger, 0n).ids,
        seed,
        ...(divergedAt === undefined ? {} : { divergedAt }),
      }),
    )
    const { name, version } = engine.factory
    if (begun) log.info('consensus engine started', { engine: name, version, epoch, height: head.height, journaled: requests.length })
    for (const request of requests) this.runner.post({ type: 'request', request })
  }

  async submit(transactionBytes: Uint8Array, hints: SubmitHints = NO_HINTS): Promise<Accepted> {
    this.assertAccepting()
    const accepted = this.pool.submit(hints.transaction ? transactionBytes : canonical(transactionBytes), hints)
    if (accepted.written) await accepted.written
    return accepted
  }

  status(): ConsensusStatus {
    const { members, self, engine } = this.options
    const { factory } = engine
    return {
      engine: { name: factory.name, version: factory.version },
      epoch: this.options.epoch,
      height: this.options.ledger.height(),
      valid: this.valid,
      pendingRequests: this.pool.size,
      halted: this.halted,
      engineView: this.view,
      ...(this.divergence === undefined ? {} : { divergence: this.divergence }),
      members: members.map(({ index, id }) => ({ index, id, isSelf: index === self, isConnected: this.connected.has(index) })),
    }
  }

  queues(): HostQueues {
    return { inbox: this.inbox.size, outbox: this.outbox.waiting }
  }

  stop(): Promise<void> {
    this.stopped ??= this.phase === 'over' ? Promise.resolve() : this.finish()
    return this.stopped
  }

  kill(): void {
    this.end('this peer was killed')
  }

  private async finish(): Promise<void> {
    this.phase = 'stopping'
    this.inbox.close()
    this.timers.cancelAll()
    const finished = Promise.all([this.deliveries.close(), this.pool.flushed()])
    try {
      const inTime = await within(this.options.clock, this.limits.stopTimeoutMs, finished)
      if (!inTime) this.options.log.error('a delivery did not finish in time; its requests stay journaled', { waitedMs: this.limits.stopTimeoutMs })
    } finally {
      this.runner.dispose()
      this.end('this peer stopped')
    }
  }

  /** Whether a stop or a kill came while it started. */
  private wasEnded(): boolean {
    return this.phase !== 'new'
  }

  private answer(event: EngineEvent): void {
    if (event.type === 'delivered' && event.block !== 'skipped') this.watch?.committed(event.block.head)
    this.runner.post(event)
  }

  /** Engines without agreement may rightly have different blocks. */
  private createWatch(): HeadWatch | undefined {
    const { engine, members, self, ledger, clock, log, notes } = this.options
    if (!notes || members.length < 2 || !engine.factory.agreement) return undefined
    const { crashed, byzantine } = engine.factory.tolerates(members.length)
    const quorum = Math.max(crashed, byzantine) + 1
    return new HeadWatch({ members: members.length, self, quorum, ledger, transport: notes, clock, log, differs: (head) => this.differs(head) })
  }

  /** Others agree on another chain: no vote and no answer to a query until theirs is here. */
  private differs(head: AgreedHead): void {
    if (this.isRepairing || this.phase !== 'running') return
    const { log, members } = this.options
    const others = head.members.map((member) => members[member]?.id ?? member).join(', ')
    this.divergence = `this validator has another block ${head.height - 1n} than ${others}: it votes no more and takes theirs`
    log.critical('this validator has diverged: it executed the same requests with another result', { block: head.height - 1n, others })
    this.replaceEngine(head, true)
  }

  /**
   * An engine may have no way to learn what was decided while its validator was away: the votes of those that were there are too few until the next
   * checkpoint. That enough others have executed it is proof. Looks now and then, and acts if nothing has moved for a while.
   */
  private lookAround(): void {
    const { watch } = this
    if (!watch || this.phase !== 'running') return
    this.options.clock.setTimer(LOOK_AROUND_MS, () => this.lookAround())
    if (this.isRepairing || this.halted !== undefined) return
    const height = this.options.ledger.height()
    const isStill = height === this.lookedAtHeight && this.deliveries.isIdle
    this.lookedAtHeight = height
    const ahead = isStill ? watch.agreedFrom(height + 1n) : undefined
    this.looksBehind = ahead ? this.looksBehind + 1 : 0
    if (isStill) watch.query()
    if (!ahead || this.looksBehind < LOOKS_BEFORE_CATCHING_UP) return
    this.looksBehind = 0
    this.options.log.info('this validator is behind and its engine does not move: it catches up and begins anew', { height, others: ahead.height })
    this.replaceEngine(ahead, false)
  }

  /** Ends the engine, takes the chain of the others, and begins with a new one. */
  private replaceEngine(head: AgreedHead, isDiverged: boolean): void {
    this.isRepairing = true
    this.runner.dispose()
    this.timers.cancelAll()
    this.inbox.close()
    this.repair(head, isDiverged).catch((error: unknown) => this.die(error))
  }

  /** An engine that compares results halts itself before the host has seen the difference: then the host looks. */
  private askWhileHalted(): void {
    if (this.halted === undefined || this.isRepairing || this.phase !== 'running') return
    this.watch?.query()
    if (this.watch) this.options.clock.setTimer(ASK_WHILE_HALTED_MS, () => this.askWhileHalted())
  }

  private async repair(head: AgreedHead, isDiverged: boolean): Promise<void> {
    const { watch } = this
    const { ledger, transfer, clock, log, engine } = this.options
    await this.deliveries.reset()
    const isOver = (): boolean => this.phase !== 'running'
    const first = watch && (await repair(head, { watch, ledger, transfer, clock, log, isOver }))
    if (isOver()) return
    await this.pool.reopen()
    await this.pool.reconcile()
    const restored = await this.records.load()
    if (isOver()) return
    const at = isDiverged ? (first ?? head.height - 1n) : undefined
    if (at !== undefined) {
      this.divergence = `block ${at} was the first that differed from the others'; repaired at height ${ledger.height()}`
      log.error('this validator had diverged and is repaired: look for a chaincode that is not deterministic, or for damage', {
        firstBlock: at,
        height: ledger.height(),
      })
    }
    this.isRepairing = false
    this.isValid = true
    this.halted = undefined
    this.inbox.open()
    this.begin(engine.factory.parseOptions(engine.options), restored, at)
    for (const member of this.connected) this.inbox.peer(member, true)
  }

  private transmit(message: OutboundMessage): void {
    if (this.phase === 'over') return
    this.options.observer?.sent?.(message)
    try {
      this.options.transport?.send(message.to, message.bytes)
    } catch (error) {
      // A transport must not throw; losing one message is what engines are built for, so the peer goes on.
      this.options.log.error('the transport refused a consensus message', { member: message.to, reason: messageOf(error) })
    }
  }

  /** The engine stops for good; queries go on, nothing is accepted, what was accepted stays journaled. */
  private halt(reason: string): void {
    if (this.halted !== undefined || this.phase === 'over') return
    this.halted = reason
    this.options.log.critical('the consensus engine is halted; this peer answers queries but orders nothing', {
      engine: this.options.engine.factory.name,
      reason,
    })
    this.runner.end()
    this.timers.cancelAll()
    this.inbox.close()
    // What a delivery in progress commits still has its outcome; nobody waits for the rest, which will not come while this peer runs.
    this.askWhileHalted()
    this.deliveries.close().then(
      () => this.pool.abandon(`the consensus engine is halted: ${reason}`),
      (error: unknown) => this.die(error),
    )
  }

  /** A write failed: nothing may go on. */
  private die(reason: unknown): void {
    if (this.phase === 'over') return
    this.halted ??= messageOf(reason)
    this.end(`this peer failed: ${messageOf(reason)}`)
    this.options.onFatal(reason)
  }

  private end(why: string): void {
    this.phase = 'over'
    this.runner.end()
    this.timers.cancelAll()
    this.inbox.close()
    this.outbox.clear()
    this.deliveries.abort()
    this.pool.abandon(why)
  }

  private assertAccepting(): void {
    if (this.phase === 'running' && this.halted === undefined && !this.isRepairing) return
    if (this.isRepairing) {
      throw new PeerError('ERR_CONSENSUS_HALTED', `this validator orders no transactions: ${this.divergence ?? 'it catches up with the others'}`, {
        grpcStatus: 14,
        retryable: true,
      })
    }
    const why = this.halted === undefined ? `this peer is ${this.phase === 'new' ? 'starting' : 'stopping'}` : `its engine is halted: ${this.halted}`
    const { counters } = this.options
    if (counters) counters.refusedHalted++
    throw new PeerError('ERR_CONSENSUS_HALTED', `this validator orders no transactions: ${why}`, { grpcStatus: 14, retryable: this.halted === undefined })
  }

  private whileAlive(defer: (task: () => void) => void): (task: () => void) => void {
    return (task) =>
      defer(() => {
        if (this.phase !== 'over') task()
      })
  }
}

const ASK_WHILE_HALTED_MS = 2000
const LOOK_AROUND_MS = 1000
const LOOKS_BEFORE_CATCHING_UP = 3

/** Milliseconds since 1970 that never go back: the wall clock at the start, then the monotonic one. */
function logicalTime(clock: Clock): () => number {
  const { seconds, nanos } = clock.now()
  const offsetMs = Number(seconds) * 1000 + nanos / 1e6 - clock.elapsedMs()
  return () => Math.floor(offsetMs + clock.elapsedMs())
}

function canonical(bytes: Uint8Array): Uint8Array {
  try {
    return canonicalTransaction(bytes)
  } catch (cause) {
    throw new PeerError('ERR_CONSENSUS_NOT_A_TRANSACTION', `expected a serialised transaction; found ${bytes.length} bytes: ${messageOf(cause)}`, {
      cause,
      grpcStatus: 3,
    })
  }
}

/** Whether work ends before the time is over. Its failure is thrown. */
async function within(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let cancel = (): void => undefined
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.setTimer(timeoutMs, () => resolve(false))
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    cancel()
  }
}
