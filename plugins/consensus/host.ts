import { randomBytes } from 'node:crypto'
import { assert, messageOf, PeerError } from '../../kernel/index.js'
import { decode, Transaction } from '../../proto/index.js'
import { refusalOf } from './accepting.js'
import { type CatalogEngine, type EngineCatalog, ownEngine } from './catalog.js'
import { CommonChain } from './chain/common-chain.js'
import type { Accepted, ConsensusStatus, RequestOutcomeReport, SubmitHints } from './consensus.js'
import type { HostQueues } from './counters.js'
import { Diverged } from './diverged.js'
import type { EngineRequest, MemberIndex } from './engine/engine.js'
import { Epochs } from './epochs/epochs.js'
import { BlockExecution, committedReport, isStateThere } from './execution/execution.js'
import { type ConsensusLimits, defaultLimits } from './limits.js'
import type { ConsensusHost, ConsensusHostOptions } from './host-options.js'
import { logicalTime, within } from './logical-time.js'
import { HostNotes, type Note } from './notes.js'
import { RequestPool } from './pool/pool.js'
import { canonical, refuseReserved } from './reserved.js'
import { REJECTED_BEFORE, RejectedRequests } from './execution/rejected-requests.js'
import type { SessionSurroundings } from './session/session.js'
import { stallOf } from './stalled.js'
import { Objections } from './swap/objections.js'
import { Recovery } from './swap/recovery.js'
import { firstEpoch } from './swap/first-epoch.js'
import { Succession } from './swap/succession.js'
import { SwapDesk } from './swap/swaps.js'

/** Makes the host of consensus. */
export function createConsensusHost(options: ConsensusHostOptions): ConsensusHost {
  return new EngineHostProcess(options)
}

const NO_HINTS: SubmitHints = Object.freeze({})
const NO_METRICS: ReadonlyMap<string, number> = new Map()
const GIVEN_UP = 'its operator has stopped its engine for a recovery'

type Phase = 'new' | 'running' | 'stopping' | 'over'

class EngineHostProcess implements ConsensusHost {
  private readonly limits: ConsensusLimits
  private readonly pool: RequestPool
  private readonly first: CatalogEngine
  private readonly succession: Succession
  private readonly rejected: RejectedRequests
  private readonly diverged: Diverged
  readonly swaps: SwapDesk
  readonly recovery: Recovery
  private readonly notes: HostNotes
  private readonly objections: Objections
  private readonly epochs: Epochs
  private readonly common: CommonChain
  private phase: Phase = 'new'
  private halted: string | undefined
  private stopped: Promise<void> | undefined
  /** When the chain last grew here. */
  private movedMs = 0

  constructor(private readonly options: ConsensusHostOptions) {
    const { store, ledger, members, self, log, counters, probe, engine } = options
    assert(members[self]?.index === self && members.every(({ index }, position) => index === position), 'members are listed by index and hold self')
    this.limits = { ...defaultLimits, ...options.limits }
    this.first = 'factory' in engine ? ownEngine(engine.factory, { origin: 'this host', options: engine.options }) : engine
    this.succession = new Succession(ledger, firstEpoch(this.first, members))
    this.rejected = new RejectedRequests(store, ledger)
    this.diverged = new Diverged(store)
    const surroundings = this.surroundings()
    const engines = options.engines ?? { find: (name, version) => this.onlyFirst(name, version) }
    this.notes = new HostNotes({ members: members.length, self, transport: options.notes, log })
    this.objections = new Objections(self, this.notes)
    this.common = this.createCommonChain(surroundings)
    this.pool = new RequestPool({
      store,
      limits: this.limits,
      defer: surroundings.defer,
      elapsedMs: () => options.clock.elapsedMs(),
      now: surroundings.now,
      counters,
      probe,
      ready: (request) => this.epochs.offer(request),
      ended: (request, transaction) => committedReport(ledger, request, transaction) ?? this.rejectedReport(request),
      fatal: surroundings.fatal,
    })
    const decoded = this.pool.decoded.bind(this.pool)
    this.epochs = new Epochs({
      surroundings,
      store,
      ledger,
      execution: new BlockExecution(ledger, options.chaincode, log, decoded, () => this.succession.admission(this.rejected), options.executesRepetitions),
      pool: this.pool,
      succession: this.succession,
      first: this.first,
      engines,
      transport: options.transport,
      notes: this.notes,
      objections: this.objections,
      transfer: options.transfer,
      probe,
      observer: options.observer,
      seed: options.seed,
      tookBlocks: () => this.rememberRejected(),
      grown: (head) => {
        this.movedMs = options.clock.elapsedMs()
        this.common.committed(head)
        if (this.recovery.record) this.recovery.look().catch((error: unknown) => this.die(error))
        if (this.diverged.at !== undefined) this.diverged.over().catch((error: unknown) => this.die(error))
      },
      halted: (reason) => this.halt(reason),
      lost: (reason) => this.beginAnew(reason),
      isOver: () => this.phase !== 'running' && this.phase !== 'new',
      fatal: surroundings.fatal,
    })
    this.recovery = this.createRecovery(engines)
    this.swaps = new SwapDesk({
      members,
      self,
      clock: options.clock,
      notes: this.notes,
      engines,
      reaches: (member) => this.epochs.reaches(member),
      succession: this.succession,
      isFixed: options.hasFixedEngine ?? false,
      height: () => ledger.height(),
      halted: () => this.status().halted,
      submit: (bytes) => this.accept(bytes, NO_HINTS, true),
      network: options.network ?? '',
      randomBytes: options.randomBytes ?? randomBytes,
      view: () => ({ swap: this.epochs.swap, crossed: this.epochs.crossed, isSealing: this.epochs.isSealing, objections: this.objections.list() }),
    })
  }

  get valid(): boolean {
    // The word of an engine ends with it: nobody would take it back. Then the ledger is asked.
    const isBelieved = this.halted === undefined ? this.epochs.live?.isValid !== false : isStateThere(this.options.ledger)
    return isBelieved && this.common.repairing === undefined && this.common.disputed === undefined
  }

  get metrics(): ReadonlyMap<string, number> {
    return this.epochs.live?.metrics ?? NO_METRICS
  }

  async start(): Promise<void> {
    assert(this.phase === 'new', 'a host is started once')
    await this.first.checkOptions(this.first.options)
    await this.pool.restore(this.committedAt())
    await this.catchUp()
    await this.recovery.restore()
    if (this.wasEnded()) return
    this.phase = 'running'
    if (!this.recovery.isUnderWay) await this.epochs.start(this.diverged.at)
    if (this.isPast()) return
    this.common.lookAround()
    this.epochs.receive({ heard: (from, note) => this.heard(from, note), met: (member) => this.swaps.met(member) })
    this.recovery.resume()
  }

  /** When the last block was committed, in microseconds since 1970: a clock that was set back must not make new requests look older than those in it. */
  private committedAt(): number {
    const { ledger } = this.options
    const { seconds, nanos } = ledger.block(ledger.height() - 1n)?.nonHashData?.localLedgerCommitTimestamp ?? { seconds: 0n, nanos: 0 }
    return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000)
  }

  async submit(transactionBytes: Uint8Array, hints: SubmitHints = NO_HINTS): Promise<Accepted> {
    this.assertAccepting()
    const bytes = hints.transaction ? transactionBytes : canonical(transactionBytes)
    const transaction = hints.transaction ?? decode(Transaction, bytes)
    refuseReserved(transaction)
    return this.accept(bytes, { ...hints, transaction }, false)
  }

  checkRoom(origin?: string): void {
    this.assertAccepting()
    this.pool.checkRoom(0, origin)
  }

  private async accept(bytes: Uint8Array, hints: SubmitHints, isHosts: boolean): Promise<Accepted> {
    this.assertAccepting()
    const accepted = this.pool.submit(bytes, hints, isHosts)
    if (accepted.written) await accepted.written
    return accepted
  }

  status(): ConsensusStatus {
    const { members, self, ledger } = this.options
    const { record } = this.succession
    const { live, following } = this.epochs
    const givenUp = this.recovery.isUnderWay ? GIVEN_UP : undefined
    const halted = givenUp ?? this.common.disputed ?? this.halted ?? (following === undefined ? undefined : `this validator follows the others: ${following}`)
    return {
      engine: { name: record.engine, version: record.version },
      epoch: record.epoch,
      height: ledger.height(),
      valid: this.valid,
      pendingRequests: this.pool.size,
      halted,
      stalled: halted === undefined ? this.stall() : undefined,
      engineView: live?.session.view ?? {},
      divergence: this.common.divergence,
      members: members.map(({ index, id }) => ({ index, id, isSelf: index === self, isConnected: this.epochs.isConnected(index) })),
    }
  }

  private stall(): string | undefined {
    const { members, self, clock } = this.options
    const now = clock.elapsedMs()
    return stallOf({
      record: this.succession.record,
      others: members.filter(({ index }) => index !== self),
      isConnected: ({ index }) => this.epochs.isConnected(index),
      waiting: this.pool.size,
      stillMs: now - Math.max(this.movedMs, this.pool.waitingSinceMs),
    })
  }

  queues(): HostQueues {
    return this.epochs.live?.session.queues ?? { inbox: 0, outbox: 0 }
  }

  stop(): Promise<void> {
    this.stopped ??= this.phase === 'over' ? Promise.resolve() : this.finish()
    return this.stopped
  }

  kill(): void {
    this.end('this peer was killed')
  }

  async restartEngine(): Promise<void> {
    const { repairing } = this.common
    const { isUnderWay } = this.recovery
    if (this.phase !== 'running' || repairing !== undefined || isUnderWay) {
      const busy = repairing === undefined ? 'this peer is starting or stopping' : 'this validator takes the chain of the others'
      const why = isUnderWay ? GIVEN_UP : busy
      throw new PeerError('ERR_CONSENSUS_HALTED', `the engine cannot be restarted now: ${why}`, { grpcStatus: 14, retryable: true })
    }
    this.options.log.warning('the operator restarts the consensus engine', { engine: this.succession.record.engine })
    try {
      await this.epochs.leave()
      await this.enterAnew()
    } catch (error) {
      // As wherever an engine is begun: a store that fails has left a peer without one.
      this.die(error)
      throw error
    }
  }

  /** Begins the engine of the epoch again after it was left, also after a halt, with everything that was accepted and is in no block. */
  private async enterAnew(): Promise<void> {
    await this.pool.reopen()
    await this.catchUp()
    await this.recovery.look()
    if (this.recovery.isUnderWay) return
    this.halted = undefined
    if (this.phase === 'running') await this.epochs.enter(this.diverged.at)
  }

  private createCommonChain(surroundings: SessionSurroundings): CommonChain {
    const { ledger, transfer, counters } = this.options
    return new CommonChain({
      surroundings,
      ledger,
      succession: this.succession,
      notes: this.notes,
      hasNotes: this.options.notes !== undefined,
      transfer,
      counters,
      isRunning: () => this.phase === 'running',
      isRecovering: () => this.recovery.isUnderWay,
      isHalted: () => this.halted !== undefined,
      isIdle: () => this.epochs.live?.deliveries.isIdle !== false,
      leave: () => this.epochs.leave(),
      diverged: (first) => this.diverged.began(first),
      enter: () => this.enterAnew(),
      halt: (reason) => this.halt(reason),
    })
  }

  private createRecovery(engines: Pick<EngineCatalog, 'find'>): Recovery {
    const { members, self, store, ledger, clock, log, signer, transfer, hasFixedEngine = false } = this.options
    return new Recovery({
      isFixed: hasFixedEngine,
      members,
      self,
      store,
      ledger,
      clock,
      log,
      notes: this.notes,
      signer,
      transfer,
      engines,
      succession: this.succession,
      leave: async () => {
        await this.epochs.leave()
        await this.common.repaired()
      },
      enter: () => this.enterAnew(),
      isOver: () => this.phase !== 'running',
      fatal: (reason) => this.die(reason),
    })
  }

  private surroundings(): SessionSurroundings {
    const { members, self, clock, log, signer, network = '', hasFixedEngine, defer = (task) => void clock.setTimer(0, task) } = this.options
    return {
      members,
      self,
      limits: this.limits,
      clock,
      log,
      signer,
      network: hasFixedEngine ? undefined : network,
      now: logicalTime(clock),
      defer: (task) =>
        defer(() => {
          if (this.phase !== 'over') task()
        }),
      fatal: (reason) => this.die(reason),
    }
  }

  private onlyFirst(name: string, version?: string): Promise<CatalogEngine> {
    const { first } = this
    if (name === first.name && (version === undefined || version === first.version)) return Promise.resolve(first)
    return Promise.reject(new PeerError('ERR_ENGINE_UNKNOWN', `this host knows one engine, ${first.name} ${first.version}; asked for ${name} ${version ?? ''}`))
  }

  private async finish(): Promise<void> {
    this.phase = 'stopping'
    this.epochs.quieten()
    const finished = Promise.all([this.epochs.live?.deliveries.close(), this.pool.flushed()])
    try {
      const inTime = await within(this.options.clock, this.limits.stopTimeoutMs, finished)
      if (!inTime) this.options.log.error('a delivery did not finish in time; its requests stay journaled', { waitedMs: this.limits.stopTimeoutMs })
    } finally {
      await this.epochs.dispose()
      this.end('this peer stopped')
    }
  }

  /** Whether a stop or a kill came while it started. */
  private wasEnded(): boolean {
    return this.phase !== 'new'
  }

  private isPast(): boolean {
    return this.phase !== 'running'
  }

  private heard(from: MemberIndex, note: Note): void {
    if (note.$case === 'recovery') this.recovery.received(from, note.value).catch((error: unknown) => this.die(error))
    else if (note.$case === 'objection') this.objections.heard(from, note.value)
    else if (note.$case === 'preflightAnswer') this.swaps.answered(from, note.value)
    else if (note.$case === 'preflightQuestion') this.swaps.question(from, note.value).catch((error: unknown) => this.die(error))
    else this.common.heard(from, note)
  }

  /** The engine is gone through no fault of its rules: another one goes on from its records. */
  private beginAnew(reason: string): void {
    this.options.log.warning('the engine is begun anew from its records', { reason })
    const again = async (): Promise<void> => {
      await this.epochs.leave()
      await this.pool.reconcile()
      if (this.phase === 'running' && !this.recovery.isUnderWay) await this.epochs.enter(this.diverged.at)
    }
    again().catch((error: unknown) => this.die(error))
  }

  /** What blocks say that came otherwise than by a delivery: a transfer may have brought them, also just before the peer died. */
  private async catchUp(): Promise<void> {
    await this.rememberRejected()
    await this.pool.reconcile()
  }

  /** How a request ended that was executed and rejected lately, in epochs after the first. Engines that remember it would not order it again for whoever does not. */
  private rejectedReport({ bytes }: EngineRequest): RequestOutcomeReport | undefined {
    const block = this.succession.record.epoch === 0n ? undefined : this.rejected.blockOf(bytes)
    return block === undefined ? undefined : { status: 'rejected', block, error: REJECTED_BEFORE }
  }

  private async rememberRejected(): Promise<void> {
    this.succession.refresh()
    const later = this.succession.firstLaterBlock()
    if (later !== undefined) await this.rejected.catchUp(later)
  }

  /** The engine stops for good; queries go on, nothing is accepted, what was accepted stays journaled. */
  private halt(reason: string): void {
    if (this.halted !== undefined || this.phase === 'over') return
    this.halted = reason
    this.options.log.critical('the consensus engine is halted; this peer answers queries but orders nothing', {
      engine: this.succession.record.engine,
      reason,
    })
    // What stops it may be the host's affair: then it has not ended yet.
    this.epochs.live?.session.fail(reason)
    // What a delivery in progress commits still has its outcome; nobody waits for the rest, which will not come while this peer runs.
    this.common.askWhileHalted()
    Promise.resolve(this.epochs.live?.deliveries.close()).then(
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
    this.epochs.end()
    this.pool.abandon(why)
  }

  private assertAccepting(): void {
    const { phase, halted, common, epochs, recovery } = this
    const refusal = refusalOf({
      phase,
      halted,
      dispute: common.disputed,
      repairing: common.repairing,
      following: epochs.following,
      isRecovering: recovery.isUnderWay,
    })
    if (refusal === undefined) return
    if (this.options.counters) this.options.counters.refusedHalted++
    throw refusal
  }
}
