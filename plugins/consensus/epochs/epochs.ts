import { messageOf } from '../../../kernel/index.js'
import { decode, type EpochRecord, Transaction } from '../../../proto/index.js'
import { engineMetadata } from '../execution/block-metadata.js'
import type { CatalogEngine } from '../catalog.js'
import type { EngineRequest, MemberIndex } from '../engine/engine.js'
import { EngineMail } from './engine-mail.js'
import { headOf } from '../execution/execution.js'
import { createLiveEngine, type EpochsOptions, type LiveEngine } from './live-engine.js'
import type { Note } from '../notes.js'
import { RecentRequests } from '../execution/recent-requests.js'
import { requestId } from '../engine/request-id.js'
import { createEngineRecords, type EngineRecords, epochsWithRecords } from '../engine/records.js'
import { SealedEpoch } from './sealed-epoch.js'
import { isToSuccession } from '../swap/calls.js'
import { Crossing } from '../swap/crossing.js'
import { SwapDriver } from '../swap/driver.js'
import { MemberCalls } from '../swap/member-calls.js'
import { hasStarted } from '../swap/records.js'
import { StartMarkers } from '../swap/start-markers.js'
import { type EngineTerms, requireTerms } from '../swap/terms.js'

const LOOK_FOR_ENGINE_MS = 2000

/** The engines of this validator: the one of the present epoch, the one before it while others need it, and a candidate on trial. */
export class Epochs {
  live: LiveEngine | undefined
  /** Why no engine runs although none was halted: its code is not here. */
  following: string | undefined
  private entered: bigint | undefined
  /** The last epoch whose engine was begun in this life of the peer. */
  private begun: bigint | undefined
  private entering = 0
  /** Resolves when nothing of the engines that were ended is in progress; undefined: nothing is. */
  private leaving: Promise<void> | undefined
  private readonly before: SealedEpoch
  private readonly mail: EngineMail
  private readonly calls: MemberCalls
  private readonly recent: RecentRequests
  private readonly markers: StartMarkers
  private readonly driver: SwapDriver
  private readonly crossing: Crossing
  /** When the activation block of the present epoch was committed here, and when its engine had begun, if this validator saw both. */
  private times: { readonly endedMs: number; begunMs: number } | undefined
  private prepared: { readonly candidate: Uint8Array; readonly engine: CatalogEngine } | undefined

  constructor(private readonly options: EpochsOptions) {
    const { surroundings, notes, ledger, succession: chain, isOver, seed } = options
    const { members, self, clock, log, limits } = surroundings
    this.before = new SealedEpoch({
      ...options,
      engineFor: (wanted) => this.engineFor(wanted),
      create: (record, engine, records) => this.create(record, engine, records),
    })
    this.mail = new EngineMail({
      limits,
      clock,
      present: () => chain.record.epoch,
      engineOf: (epoch) => this.ofEpoch(epoch),
      trial: () => this.driver.trial,
      crossing: () => this.crossing,
      isOver,
    })
    this.calls = new MemberCalls(options)
    this.recent = new RecentRequests(ledger, limits.maxToldRequests, surroundings.defer)
    this.markers = new StartMarkers({
      members,
      self,
      clock,
      log,
      signer: surroundings.signer,
      hashOf: (block) => chain.hashOf(block),
      submit: (markers, startsEpoch) => this.order(markers, startsEpoch),
    })
    this.driver = new SwapDriver({
      surroundings,
      clock,
      log,
      seed,
      height: () => ledger.height(),
      engineFor: (wanted) => this.engineFor(wanted),
      transmit: ({ to, bytes }, candidate, epoch) => notes.engine(to, epoch, candidate, bytes),
      begun: (trial) => this.mail.welcomeTrial(trial),
      ready: (candidate, probe) => this.calls.ready(candidate, probe),
      cancel: (candidate, reason) => {
        // Before the call, so that whoever sees that executed knows why.
        options.objections.say(candidate.id, reason)
        this.calls.cancel(candidate)
      },
      dropped: (candidate, engine) => {
        this.mail.dropped(candidate.id)
        if (engine !== this.prepared?.engine) engine?.release?.()
      },
      isOver,
    })
    this.crossing = new Crossing({
      members: members.length,
      self,
      notes,
      clock,
      height: () => ledger.height(),
      hashOf: (block) => chain.hashOf(block),
      isOver,
      complete: () => this.before.release(),
    })
  }

  /** Whether the engine of the epoch before is still needed. */
  get isSealing(): boolean {
    return this.before.engine !== undefined
  }

  /** What is known of a swap under way. */
  get swap() {
    return this.driver.view
  }

  /** Members that are known to have entered the present epoch. */
  get crossed(): readonly MemberIndex[] {
    return this.crossing.crossed
  }

  /** Begins the engine of the chain's epoch, and those that others still need. Rejects if the store fails. */
  async start(divergedAt?: bigint): Promise<void> {
    const { succession: chain, store } = this.options
    const { record } = chain
    // An engine that was given up by a recovery must not vote again: it helps nobody to cross.
    const oldest = record.isRecovery || record.epoch === 0n ? record.epoch : record.epoch - 1n
    for (const epoch of await epochsWithRecords(store)) if (epoch < oldest) await createEngineRecords(store, epoch).clear()
    const needed = oldest === record.epoch ? 0 : await this.before.resume(record)
    this.entered = record.epoch
    this.crossing.enter(record, needed)
    await this.enter(divergedAt)
    this.driver.look(record, chain.candidate)
  }

  /** Connects to the others; called once, after `start`. */
  receive({ heard, met }: { readonly heard: (from: MemberIndex, note: Note) => void; readonly met: (member: MemberIndex) => void }): void {
    const { transport, notes } = this.options
    transport?.receive({
      message: (from, bytes) => this.mail.ofFirstEpoch(from, bytes),
      peer: (member, up) => this.mail.peer('transport', member, up, this.all),
      // Originals say it then and never again (spec/consensus.md §15 W34).
      head: (member, head) => heard(member, { $case: 'heads', value: { heads: [head] } }),
    })
    notes.receive({
      note: (from, note) => {
        if (note.$case === 'engine') this.mail.ofLaterEpoch(from, note.value)
        else if (note.$case === 'begunAnew') this.mail.begunAnew(from, note.value.epoch)
        else if (note.$case === 'crossing') {
          this.crossing.received(from, note.value)
          this.markers.heard(from, note.value).catch(this.options.fatal)
        }
        heard(from, note)
      },
      peer: (member, up) => {
        this.mail.peer('notes', member, up, this.all)
        if (!up) return
        this.crossing.met(member)
        met(member)
      },
    })
  }

  isConnected(member: MemberIndex): boolean {
    return this.mail.up.transport.has(member)
  }

  /** Whether a member's host can be told something. */
  reaches(member: MemberIndex): boolean {
    return this.mail.up.notes.has(member)
  }

  /** An own request is safe on disk: the engine gets it, if it may have it yet. */
  offer(request: EngineRequest): void {
    const { live } = this
    if (live && (live.isOpen || this.isCall(request))) live.session.post({ type: 'request', request })
  }

  /** Ends the engine of the present epoch, what it asked for included, so that the ledger can be changed under it. Resolves when nothing of it is in progress. */
  async leave(): Promise<void> {
    const { live } = this
    this.live = undefined
    this.times = undefined
    this.entering++
    this.markers.end()
    if (live) {
      this.mail.left(live)
      const leaving: Promise<void> = Promise.all([this.leaving, letGo(live)]).then(() => {
        if (this.leaving === leaving) this.leaving = undefined
      })
      this.leaving = leaving
    }
    await this.leaving
  }

  /** Begins the engine of the chain's epoch from its records. Without its code the validator follows the others. */
  async enter(divergedAt?: bigint): Promise<void> {
    const { succession: chain, isOver, ledger, surroundings, store } = this.options
    // An operator's wish, a repair and the death of a process may come together: one engine runs at a time, and the last to ask has it.
    const left = this.live || this.leaving ? this.leave() : undefined
    const turn = ++this.entering
    if (left) await left
    if (turn !== this.entering) return
    const record = chain.refresh()
    if (this.entered !== record.epoch) await this.jumpTo(record)
    const engine = await this.engineOf(record, divergedAt)
    if (isOver() || turn !== this.entering || !engine) return
    const records = createEngineRecords(store, record.epoch)
    const restored = await records.load()
    if (isOver() || turn !== this.entering) return
    const live = this.create(record, engine, records)
    this.live = live
    const requests = this.openRequests(live)
    const head = headOf(ledger.info())
    const executed = this.recent.ids()
    this.recent.forget()
    this.options.observer?.begins?.(record.epoch)
    const begun = live.session.begin({
      epoch: record.epoch,
      head,
      metadata: engineMetadata(ledger, record.epoch, record.activation),
      restored,
      members: surroundings.members,
      executed,
      seed: this.options.seed,
      ...(record.epoch === 0n ? {} : { firstLeader: record.firstLeader }),
      ...(this.options.surroundings.network === undefined ? { hasOriginals: true } : {}),
      ...(divergedAt === undefined ? {} : { divergedAt }),
    })
    if (!begun) return
    if (this.times) this.times.begunMs = surroundings.clock.elapsedMs()
    const { name, version } = engine
    surroundings.log.info('consensus engine started', { engine: name, version, epoch: record.epoch, height: head.height, journaled: requests.length })
    for (const request of requests) live.session.post({ type: 'request', request })
    if (this.begun === record.epoch) this.options.notes.tell({ $case: 'begunAnew', value: { epoch: record.epoch } })
    this.begun = record.epoch
    this.mail.welcome(record.epoch, live.session)
    this.sayStarted(live, record).catch(this.options.fatal)
  }

  /** Has it ordered that the engine of the epoch runs here; with the markers of others if they come soon. */
  private async sayStarted(live: LiveEngine, record: EpochRecord): Promise<void> {
    if (record.epoch === 0n || record.started.includes(this.options.surroundings.self)) return
    const recovered = record.isRecovery && !this.options.succession.isStored(record.epoch) ? record : undefined
    const marker = await this.calls.marker(record, recovered)
    if (this.live !== live || this.options.isOver()) return
    // The record of a recovery is in the first marker that is executed, and nobody hands on another's.
    if (record.isRecovery) return this.calls.start([marker])
    this.crossing.started(marker)
    await this.markers.begin(record, marker)
  }

  /** Their owners can make them anew: the engine need not wait until they are safe on disk. */
  private order(markers: readonly Uint8Array[], startsEpoch: boolean): void {
    const { live } = this
    for (const bytes of markers) {
      const request = { id: requestId(bytes), bytes }
      live?.markers.set(request.id, request)
      live?.session.post({ type: 'request', request })
    }
    this.calls.start(markers)
    // Of the first leader alone: behind the markers its engine has what its own clients wait for, for the same block. What other validators send may come to it before the last marker.
    if (startsEpoch && live && !live.isOpen) this.open(live)
  }

  /** Gives an engine what clients wait for, in the order of submission. */
  private open(live: LiveEngine): void {
    live.isOpen = true
    for (const request of this.openRequests(live)) if (!this.isCall(request)) live.session.post({ type: 'request', request })
  }

  /** The engines get no more timers and messages; what they wait for still comes. */
  quieten(): void {
    for (const engine of this.all) engine?.session.quieten()
  }

  /** Stops everything at once. */
  end(): void {
    this.driver.drop()
    this.prepared?.engine.release?.()
    for (const engine of this.all) {
      engine?.session.end()
      engine?.deliveries.abort()
    }
  }

  /** Lets the engines free what they hold. */
  async dispose(): Promise<void> {
    this.driver.drop()
    this.prepared?.engine.release?.()
    await this.live?.session.dispose()
    await this.before.engine?.session.dispose()
  }

  /** The engine of a record or a proposal. Rejects with why this validator cannot run it. */
  async engineFor(wanted: EngineTerms): Promise<CatalogEngine> {
    const engine = await this.options.engines.find(wanted.engine, wanted.version)
    await requireTerms(engine, wanted, this.options.surroundings.members.length)
    return engine
  }

  private create(record: EpochRecord, engine: CatalogEngine, records: EngineRecords): LiveEngine {
    const live: LiveEngine = createLiveEngine(
      this.options,
      { record, engine, records },
      {
        isLive: () => this.live === live,
        open: () => this.openRequests(live),
        grown: (hasPostponed) => this.grown(live, hasPostponed),
        sealedOver: () => this.before.release(),
      },
    )
    return live
  }

  /** The chain has grown by a block of this engine, or by a transfer that it asked for. Returns the height at which its epoch has ended, if it has. */
  private grown(live: LiveEngine, hasPostponed: boolean): bigint | undefined {
    live.hasPostponed ||= hasPostponed
    const { succession: chain, surroundings, isOver } = this.options
    const record = chain.refresh()
    const won = this.driver.engineOf(record.candidate)
    if (won) this.prepared = { candidate: record.candidate, engine: won }
    this.driver.look(record, chain.candidate)
    // Of the block that ends the epoch the next engine is told in a moment.
    if (chain.candidate || record.epoch !== live.epoch) this.recent.follow()
    else this.recent.forget()
    if (record.epoch !== live.epoch) {
      surroundings.defer(() => {
        if (this.live === live && !isOver()) this.cross(live, record).catch(this.options.fatal)
      })
      return (chain.recordOf(live.epoch + 1n) ?? record).activation + 1n
    }
    if (!live.hasStarted && hasStarted(record)) {
      live.hasStarted = true
      surroundings.log.info('the epoch has started', { epoch: record.epoch, engine: record.engine, height: this.options.ledger.height(), ...this.took() })
      // After the engine has heard of the block that started it.
      surroundings.defer(() => {
        if (this.live !== live) return
        // Also what it has been given, if it had some of that executed too early: it knows it no more.
        if (!live.isOpen || live.hasPostponed) this.open(live)
        this.markers.opened(record.started)
      })
    }
    return undefined
  }

  /** How long it took, in milliseconds: from the activation block until the engine had begun, and from then until enough members had. */
  private took(): { readonly beginMs?: number; readonly startMs?: number } {
    const { times } = this
    this.times = undefined
    if (!times) return {}
    const { endedMs, begunMs } = times
    return { beginMs: Math.round(begunMs - endedMs), startMs: Math.round(this.options.surroundings.clock.elapsedMs() - begunMs) }
  }

  /** From the engine of one epoch to that of the next: the old one is sealed, not stopped. */
  private async cross(old: LiveEngine, record: EpochRecord): Promise<void> {
    const { log } = this.options.surroundings
    this.live = undefined
    this.times = { endedMs: this.options.surroundings.clock.elapsedMs(), begunMs: 0 }
    this.markers.end()
    this.before.release()
    log.info('the epoch of the consensus engine has ended', { epoch: old.epoch, engine: old.engine.name, activationBlock: record.activation })
    if (record.epoch === old.epoch + 1n) {
      this.entered = record.epoch
      const needed = this.before.seal(old, record)
      // What is said to candidates of this epoch stays: others may be on trial already.
      this.mail.entered(record.epoch, { candidates: true })
      this.crossing.enter(record, needed)
      await this.enter()
    } else {
      await old.session.dispose()
      await this.enter()
    }
    this.driver.look(record, this.options.succession.candidate)
  }

  /** Several epochs at once, or back after a repair: what was kept of others is of no use. */
  private async jumpTo(record: EpochRecord): Promise<void> {
    const { store } = this.options
    this.entered = record.epoch
    this.before.release()
    this.prepared?.engine.release?.()
    this.mail.entered(record.epoch, { candidates: false })
    for (const epoch of await epochsWithRecords(store)) if (epoch !== record.epoch) await createEngineRecords(store, epoch).clear()
    this.crossing.enter(record, 0)
  }

  private async engineOf(record: EpochRecord, divergedAt: bigint | undefined): Promise<CatalogEngine | undefined> {
    const { surroundings, isOver, first } = this.options
    try {
      const { prepared } = this
      const isReady = prepared !== undefined && Buffer.compare(prepared.candidate, record.candidate) === 0
      const found = record.epoch === 0n ? first : isReady ? prepared.engine : await this.engineFor(record)
      this.following = undefined
      return found
    } catch (error) {
      const reason = messageOf(error)
      if (this.following !== reason) {
        surroundings.log.critical('the engine of this epoch cannot run here: this validator follows the others without voting', {
          engine: record.engine,
          version: record.version,
          epoch: record.epoch,
          reason,
        })
      }
      this.following = reason
      const turn = this.entering
      surroundings.clock.setTimer(LOOK_FOR_ENGINE_MS, () => {
        if (!isOver() && !this.live && turn === this.entering) this.enter(divergedAt).catch(this.options.fatal)
      })
      return undefined
    }
  }

  /** What an engine is to order for this validator, in the order in which it is given it. */
  private openRequests({ isOpen, hasStarted, markers }: LiveEngine): readonly EngineRequest[] {
    const open = this.options.pool.open().filter((request) => isOpen || this.isCall(request))
    return hasStarted ? open : [...markers.values(), ...open.filter(({ id }) => !markers.has(id))]
  }

  /** Whether a request is a call of the succession. */
  private isCall(request: EngineRequest): boolean {
    return isToSuccession(this.options.pool.decoded(request) ?? decode(Transaction, request.bytes))
  }

  /** Of the present epoch, and of the one before. */
  private get all(): readonly (LiveEngine | undefined)[] {
    return [this.live, this.before.engine]
  }

  private ofEpoch(epoch: bigint): LiveEngine | undefined {
    const { live } = this
    if (live?.epoch === epoch) return live
    const { engine } = this.before
    return engine?.epoch === epoch ? engine : undefined
  }
}

/** Ends an engine. Resolves when nothing of it is in progress. */
async function letGo({ session, deliveries, records }: LiveEngine): Promise<void> {
  await session.dispose()
  await deliveries.reset()
  // What it asked to be stored, and is still being written, counts for its successor.
  await records.written()
}
