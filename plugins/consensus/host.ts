import { randomBytes } from 'node:crypto'
import { assert, messageOf, PeerError } from '../../kernel/index.js'
import { type CrossingNote, decode, Transaction } from '../../proto/index.js'
import { type CatalogEngine, type EngineCatalog, ownEngine } from './catalog.js'
import type { Accepted, ConsensusStatus, SubmitHints } from './consensus.js'
import type { HostQueues } from './counters.js'
import type { MemberIndex } from './engine.js'
import { Epochs } from './epochs.js'
import { BlockExecution, committedReport } from './execution.js'
import { type AgreedHead, HeadWatch } from './heads.js'
import { type ConsensusLimits, defaultLimits } from './limits.js'
import type { ConsensusHost, ConsensusHostOptions } from './host-options.js'
import { logicalTime, within } from './logical-time.js'
import { HostNotes, type Note } from './notes.js'
import { RequestPool } from './pool.js'
import { repair } from './repair.js'
import { canonical, refuseReserved } from './reserved.js'
import { RejectedRequests } from './rejected-requests.js'
import type { SessionSurroundings } from './session.js'
import { Objections } from './swap/objections.js'
import { faultsOf } from './swap/records.js'
import { Recovery } from './swap/recovery.js'
import { firstEpoch } from './swap/first-epoch.js'
import { Succession } from './swap/succession.js'
import { SwapDesk } from './swap/swaps.js'

/** Makes the host of consensus (design §5, §6). */
export function createConsensusHost(options: ConsensusHostOptions): ConsensusHost {
  return new EngineHostProcess(options)
}

const NO_HINTS: SubmitHints = Object.freeze({})
const NO_METRICS: ReadonlyMap<string, number> = new Map()

type Phase = 'new' | 'running' | 'stopping' | 'over'

class EngineHostProcess implements ConsensusHost {
  private readonly limits: ConsensusLimits
  private readonly pool: RequestPool
  private readonly first: CatalogEngine
  private readonly succession: Succession
  private readonly rejected: RejectedRequests
  readonly swaps: SwapDesk
  readonly recovery: Recovery
  private readonly notes: HostNotes
  private readonly objections: Objections
  private readonly epochs: Epochs
  private readonly watch: HeadWatch | undefined
  private phase: Phase = 'new'
  private halted: string | undefined
  private stopped: Promise<void> | undefined
  private isValid = true
  private divergence: string | undefined
  private isRepairing = false
  /** Why this validator must not take the chain of the others by itself. */
  private conflict: string | undefined
  private readonly conflicting = new Set<MemberIndex>()
  private lookedAtHeight = -1n
  private looksBehind = 0

  constructor(private readonly options: ConsensusHostOptions) {
    const { store, ledger, members, self, log, counters, probe, engine } = options
    assert(members[self]?.index === self && members.every(({ index }, position) => index === position), 'members are listed by index and hold self')
    this.limits = { ...defaultLimits, ...options.limits }
    this.first = 'factory' in engine ? ownEngine(engine.factory, { origin: 'this host', options: engine.options }) : engine
    this.succession = new Succession(ledger, firstEpoch(this.first, members))
    this.rejected = new RejectedRequests(store, ledger)
    const surroundings = this.surroundings()
    const engines = options.engines ?? { find: (name, version) => this.onlyFirst(name, version) }
    this.notes = new HostNotes({ members: members.length, self, transport: options.notes, log })
    this.objections = new Objections(self, this.notes)
    this.watch = this.createWatch()
    this.pool = new RequestPool({
      store,
      limits: this.limits,
      defer: surroundings.defer,
      elapsedMs: () => options.clock.elapsedMs(),
      counters,
      probe,
      ready: (request) => this.epochs.offer(request),
      committed: (request) => committedReport(ledger, request),
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
      setValid: (valid) => {
        this.isValid = valid
      },
      tookBlocks: () => this.rememberRejected(),
      grown: (head) => {
        this.watch?.committed(head)
        if (this.recovery.record) this.recovery.look().catch((error: unknown) => this.die(error))
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
      submit: (bytes) => this.accept(bytes, NO_HINTS, true),
      network: options.network ?? '',
      randomBytes: options.randomBytes ?? randomBytes,
      view: () => ({ swap: this.epochs.swap, crossed: this.epochs.crossed, isSealing: this.epochs.sealed !== undefined, objections: this.objections.list() }),
    })
  }

  get valid(): boolean {
    return this.isValid && !this.isRepairing
  }

  get metrics(): ReadonlyMap<string, number> {
    return this.epochs.live?.metrics ?? NO_METRICS
  }

  async start(): Promise<void> {
    assert(this.phase === 'new', 'a host is started once')
    await this.first.checkOptions(this.first.options)
    await this.pool.restore()
    await this.catchUp()
    await this.recovery.restore()
    if (this.wasEnded()) return
    this.phase = 'running'
    if (!this.recovery.isUnderWay) await this.epochs.start()
    if (this.isPast()) return
    this.lookAround()
    this.epochs.receive((from, note) => this.heard(from, note))
    this.recovery.resume()
  }

  async submit(transactionBytes: Uint8Array, hints: SubmitHints = NO_HINTS): Promise<Accepted> {
    this.assertAccepting()
    const bytes = hints.transaction ? transactionBytes : canonical(transactionBytes)
    refuseReserved(hints.transaction ?? decode(Transaction, bytes))
    return this.accept(bytes, hints, false)
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
    const givenUp = this.recovery.isUnderWay ? 'its operator has stopped its engine for a recovery' : undefined
    const halted = givenUp ?? this.halted ?? (following === undefined ? undefined : `this validator follows the others: ${following}`)
    return {
      engine: { name: record.engine, version: record.version },
      epoch: record.epoch,
      height: ledger.height(),
      valid: this.valid,
      pendingRequests: this.pool.size,
      halted,
      engineView: live?.session.view ?? {},
      ...(this.divergence === undefined ? {} : { divergence: this.divergence }),
      members: members.map(({ index, id }) => ({ index, id, isSelf: index === self, isConnected: this.epochs.isConnected(index) })),
    }
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
    if (this.phase !== 'running' || this.isRepairing) {
      const why = this.isRepairing ? 'this validator takes the chain of the others' : 'this peer is starting or stopping'
      throw new PeerError('ERR_CONSENSUS_HALTED', `the engine cannot be restarted now: ${why}`, { grpcStatus: 14, retryable: true })
    }
    this.options.log.warning('the operator restarts the consensus engine', { engine: this.succession.record.engine })
    await this.epochs.leave()
    await this.enterAnew()
  }

  /** Begins the engine of the epoch again after it was left, also after a halt, with everything that was accepted and is in no block. */
  private async enterAnew(): Promise<void> {
    await this.pool.reopen()
    await this.catchUp()
    this.halted = undefined
    this.isValid = true
    if (this.phase === 'running') await this.epochs.enter()
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
      leave: () => this.epochs.leave(),
      enter: () => this.enterAnew(),
      isOver: () => this.phase !== 'running',
      fatal: (reason) => this.die(reason),
    })
  }

  private surroundings(): SessionSurroundings {
    const { members, self, clock, log, signer, defer = (task) => void clock.setTimer(0, task) } = this.options
    return {
      members,
      self,
      limits: this.limits,
      clock,
      log,
      signer,
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
    const { live, sealed } = this.epochs
    live?.session.quieten()
    sealed?.session.quieten()
    const finished = Promise.all([live?.deliveries.close(), this.pool.flushed()])
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
    const { watch } = this
    if (note.$case === 'crossing' && note.value.recovery) this.heardOfRecovery(from, note.value)
    if (note.$case === 'recovery') this.recovery.received(from, note.value).catch((error: unknown) => this.die(error))
    else if (note.$case === 'heads') watch?.heard(from, note.value.heads)
    else if (note.$case === 'query') watch?.asked(from, note.value.height)
    else if (note.$case === 'objection') this.objections.heard(from, note.value)
    else if (note.$case === 'preflightAnswer') this.swaps.answered(from, note.value)
    else if (note.$case === 'preflightQuestion') this.swaps.question(from, note.value).catch((error: unknown) => this.die(error))
    else if (note.$case === 'crossing' && note.value.epoch > this.succession.record.epoch && !this.conflicting.has(from)) {
      // Whoever is behind takes their chain if they agree, as it would after any other absence.
      watch?.heard(from, [{ height: note.value.activation + 1n, hash: note.value.hash }])
    }
  }

  /** Others began an epoch without this validator. If it has blocks that they have not, some that were acknowledged are lost with them: nobody may hide that. */
  private heardOfRecovery(from: MemberIndex, { epoch, activation, hash }: CrossingNote): void {
    const { record } = this.succession
    if (epoch <= record.epoch || this.conflict !== undefined) return
    const own = this.succession.hashOf(activation)
    const isBehind = own === undefined
    const isPrefix = isBehind || (Buffer.compare(own, hash) === 0 && this.options.ledger.height() === activation + 1n)
    if (isPrefix) return
    this.conflicting.add(from)
    if (this.conflicting.size <= faultsOf(record)) return
    this.conflict = `the others recovered without this validator and began epoch ${epoch} after block ${activation}, but it has committed other blocks: they are lost to the network`
    this.halt(`${this.conflict}. Keep this data directory, find out what they hold, and start with an empty one`)
  }

  /** Engines without agreement may rightly have different blocks. */
  private createWatch(): HeadWatch | undefined {
    const { members, self, ledger, clock, notes } = this.options
    if (!notes || members.length < 2) return undefined
    const quorum = (): number | undefined => {
      const { record } = this.succession
      return record.agreement ? faultsOf(record) + 1 : undefined
    }
    return new HeadWatch({ members: members.length, self, quorum, ledger, notes: this.notes, clock, differs: (head) => this.differs(head) })
  }

  /** Others agree on another chain: no vote and no answer to a query until theirs is here. */
  private differs(head: AgreedHead): void {
    if (this.isRepairing || this.phase !== 'running' || this.recovery.isUnderWay || this.conflict !== undefined) return
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
    // Without a way to take their chain a working engine is worth more than none.
    if (!watch || !this.options.transfer || this.phase !== 'running') return
    this.options.clock.setTimer(LOOK_AROUND_MS, () => this.lookAround())
    if (this.isRepairing || this.halted !== undefined || this.recovery.isUnderWay) return
    const height = this.options.ledger.height()
    const isStill = height === this.lookedAtHeight && this.epochs.live?.deliveries.isIdle !== false
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
    this.repair(head, isDiverged).catch((error: unknown) => this.die(error))
  }

  /** The engine is gone through no fault of its rules: another one goes on from its records. */
  private beginAnew(reason: string): void {
    this.options.log.warning('the engine is begun anew from its records', { reason })
    const again = async (): Promise<void> => {
      await this.epochs.leave()
      await this.pool.reconcile()
      if (this.phase === 'running') await this.epochs.enter()
    }
    again().catch((error: unknown) => this.die(error))
  }

  /** An engine that compares results halts itself before the host has seen the difference: then the host looks. */
  private askWhileHalted(): void {
    if (this.halted === undefined || this.isRepairing || this.phase !== 'running' || this.conflict !== undefined) return
    this.watch?.query()
    if (this.watch) this.options.clock.setTimer(ASK_WHILE_HALTED_MS, () => this.askWhileHalted())
  }

  private async repair(head: AgreedHead, isDiverged: boolean): Promise<void> {
    const { watch } = this
    const { ledger, transfer, clock, log } = this.options
    await this.epochs.leave()
    const isOver = (): boolean => this.phase !== 'running'
    const first = watch && (await repair(head, { watch, ledger, transfer, clock, log, isOver }))
    if (isOver()) return
    await this.pool.reopen()
    await this.catchUp()
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
    await this.epochs.enter(at)
  }

  /** What blocks say that came otherwise than by a delivery: a transfer may have brought them, also just before the peer died. */
  private async catchUp(): Promise<void> {
    await this.pool.reconcile()
    await this.rememberRejected()
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
    // What a delivery in progress commits still has its outcome; nobody waits for the rest, which will not come while this peer runs.
    this.askWhileHalted()
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
    if (this.recovery.isUnderWay) {
      throw new PeerError('ERR_CONSENSUS_HALTED', 'this validator orders no transactions: its operator has stopped its engine for a recovery', {
        grpcStatus: 14,
        retryable: true,
      })
    }
    const { following } = this.epochs
    if (this.phase === 'running' && this.halted === undefined && !this.isRepairing && following === undefined) return
    if (this.isRepairing || following !== undefined) {
      throw new PeerError('ERR_CONSENSUS_HALTED', `this validator orders no transactions: ${following ?? this.divergence ?? 'it catches up with the others'}`, {
        grpcStatus: 14,
        retryable: true,
      })
    }
    const why = this.halted === undefined ? `this peer is ${this.phase === 'new' ? 'starting' : 'stopping'}` : `its engine is halted: ${this.halted}`
    const { counters } = this.options
    if (counters) counters.refusedHalted++
    throw new PeerError('ERR_CONSENSUS_HALTED', `this validator orders no transactions: ${why}`, { grpcStatus: 14, retryable: this.halted === undefined })
  }
}

const ASK_WHILE_HALTED_MS = 2000
const LOOK_AROUND_MS = 1000
const LOOKS_BEFORE_CATCHING_UP = 3
