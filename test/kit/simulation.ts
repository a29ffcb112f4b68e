import type { Logger } from '../../kernel/index.js'
import {
  type ConsensusHostOptions,
  type ConsensusSigner,
  type EngineFactory,
  type Member,
  type MemberIndex,
  networkOf,
  ownEngine,
  successionRules,
  type SwapPolicy,
  type TransferTarget,
} from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import type { Store } from '../../plugins/level/index.js'
import { EngineShelf } from './engine-shelf.js'
import { heardEngine } from './heard-engine.js'
import { failureOf, type FailureKind, type SimulationFailure } from './failures.js'
import { Invariants } from './invariants.js'
import { createKeyedHashSigner } from './keyed-hash-signer.js'
import type { Endpoint } from './link-table.js'
import { type LinkOptions, Links } from './links.js'
import { createMemoryDisk, type MemoryDiskOptions, type SimulatedDisk } from './memory-disk.js'
import { pump, soon } from './pump.js'
import { createRandom, type Random } from './random.js'
import { silentLogger } from './silent-logger.js'
import { type LedgerOpener, SimulatedPeer, type SimulatedPeerOptions } from './simulated-peer.js'
import { anotherEngine, type StateLie } from './state-lie.js'
import { createTrace, type Trace } from './trace.js'
import { createExecutor } from './transactions.js'
import { VirtualTime } from './virtual-clock.js'

/** The world of one run. Everything random in it comes from `seed`. */
export interface SimulationOptions<L extends Ledger> {
  readonly seed: number
  readonly members: number
  readonly engine: { readonly factory: EngineFactory; readonly options?: unknown }
  /** Engines that may follow the first one; it may follow them, too. */
  readonly successors?: readonly (EngineFactory | { readonly factory: EngineFactory; readonly options: unknown })[]
  /** Who may change the engine. Default: every validator. */
  readonly policy?: SwapPolicy
  readonly openLedger: LedgerOpener<L>
  /** Default: the memory disk. */
  readonly makeDisk?: (time: VirtualTime, random: Random) => SimulatedDisk
  readonly disk?: MemoryDiskOptions
  /** What a peer sees of its store; for deliberately broken ones. */
  readonly wrapStore?: (store: Store) => Store
  readonly links?: LinkOptions
  /** Brings a member's ledger to the target from another's; resolves false if that cannot give it, or lies. Without it only the own head can be reached. */
  readonly transfer?: (to: L, from: L, target: TransferTarget, lie?: StateLie) => Promise<boolean>
  /** False: a crash interrupted a transfer, which is finished before the member takes part. Default: always true. */
  readonly isWhole?: (ledger: L) => boolean
  /** Members of which nothing is expected. */
  readonly byzantine?: readonly MemberIndex[]
  /** Members whose engine breaks on purpose: that it is halted is no failure. Everything else is expected of them. */
  readonly breakable?: readonly MemberIndex[]
  /** Those of them that run twice, with one identity: each other member reaches one of the two (`links.turn`). */
  readonly twins?: readonly MemberIndex[]
  /** Default: keyed hashes. */
  readonly signer?: (member: Member) => ConsensusSigner | undefined
  readonly limits?: ConsensusHostOptions['limits']
  /** False: hosts tell each other nothing, compare no chains and change no engines. Default true. */
  readonly hostsTalk?: boolean
  /** Hosts execute again what is ordered although the chain holds it, as originals do. Default false. */
  readonly executesRepetitions?: boolean
  /** Keep what happened. Default false. */
  readonly trace?: boolean
  /** A plain object; its functions are called without it. */
  readonly log?: Logger
}

const DEFAULT_LINKS: LinkOptions = { minDelayMs: 1, maxDelayMs: 10 }
const DEFAULT_DISK: MemoryDiskOptions = { minWriteMs: 1, maxWriteMs: 5 }
/** Tasks that may be deferred within one moment; an engine that sets a timer without delay for ever would never let time pass. */
const MOST_DEFERRED = 100_000
/** Handlers of one peer that may run within one moment: answers that come at once could go on for ever. */
const MOST_HANDLERS = 200_000
const MOST_STEPS = 20_000_000
const TRANSFER_MS = 20
const TRANSFER_TRIES = 50

type TransferOutcome = { readonly reached: true } | { readonly reached: false; readonly reason: string }

/**
 * N validators with the real consensus host in virtual time. Single-threaded and deterministic: between two virtual events everything that promises
 * still have to do is done, so the order of everything follows from the seed. A broken invariant throws a SimulationFailure from the call that ran into it.
 */
export class Simulation<L extends Ledger = Ledger> {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly links: Links
  /** The members; of twins the first instance. */
  readonly peers: readonly SimulatedPeer<L>[]
  /** The second instances of twins. */
  readonly twins: readonly SimulatedPeer<L>[]
  readonly invariants: Invariants
  readonly trace: Trace
  /** Virtual events so far. */
  steps = 0
  readonly #transferFrom: SimulationOptions<L>['transfer']
  #deferred = 0
  #handlers = 0

  constructor(private readonly options: SimulationOptions<L>) {
    const { seed, members: count, engine, twins = [], byzantine = twins } = options
    const members: Member[] = Array.from({ length: count }, (_, index) => ({ index, id: `vp${index}` }))
    this.random = createRandom(seed)
    this.trace = createTrace(() => this.time.nowMs, options.trace ?? false)
    this.invariants = new Invariants({ members: count, agreement: engine.factory.agreement, byzantine, first: engine.factory })
    this.links = new Links(count, this.time, this.random.fork('links'), options.links ?? DEFAULT_LINKS, this.trace.sink, twins)
    this.invariants.watch(this.links)
    this.#transferFrom = options.transfer
    const make = (self: Member, endpoint: Endpoint): SimulatedPeer<L> => new SimulatedPeer<L>(this.#peerOptions(options, members, self, endpoint))
    this.peers = members.map((self) => make(self, self.index))
    this.twins = members.filter(({ index }) => twins.includes(index)).map((self) => make(self, count + twins.indexOf(self.index)))
  }

  /** Starts every member and waits until all of them run. */
  async start(limitMs = 10_000): Promise<void> {
    const instances = this.instances()
    for (const peer of instances) peer.start()
    await this.runUntil('all members run', () => instances.every(({ host }) => host !== undefined), limitMs)
  }

  /** The member of that index; throws a RangeError if there is none. */
  peer(member: MemberIndex): SimulatedPeer<L> {
    const peer = this.peers[member]
    if (!peer) throw new RangeError(`expected a member 0 to ${this.peers.length - 1}, found ${member}`)
    return peer
  }

  /** Members and second instances. */
  instances(): SimulatedPeer<L>[] {
    return [...this.peers, ...this.twins]
  }

  /** Lets virtual time pass. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.time.nowMs + durationMs
    await this.#pump(() => {
      const nextMs = this.time.nextMs()
      return nextMs !== undefined && nextMs <= endMs && this.#advance()
    })
    this.time.advanceTo(endMs)
  }

  /** Runs until `isReached`; throws a LivenessViolation after `limitMs` of virtual time without it. */
  async runUntil(what: string, isReached: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.time.nowMs + limitMs
    await this.#pump(() => {
      if (isReached()) return false
      const nextMs = this.time.nextMs()
      if (nextMs === undefined || nextMs > endMs) throw this.failure('liveness', `expected within ${limitMs} ms of virtual time: ${what}`)
      return this.#advance()
    })
  }

  /** One virtual event and everything that follows from it at the same moment. */
  async step(): Promise<void> {
    let isDone = false
    await this.#pump(() => {
      if (isDone) return false
      isDone = true
      return this.#advance()
    })
  }

  /** Reads every running member's ledger again and compares it with everything that was ever announced. */
  async checkAll(): Promise<void> {
    for (const [index, { ledger }] of this.peers.entries()) if (ledger) await this.invariants.final(index, ledger)
    this.#throwViolations()
  }

  /** An error that says what broke and how every member is. */
  failure(kind: FailureKind, statement: string): SimulationFailure {
    this.trace.sink?.add({ type: 'violation', kind, text: statement })
    return failureOf({ kind, statement }, this.#describe())
  }

  #pump(turn: () => boolean): Promise<void> {
    return pump(() => {
      if (this.invariants.violations.length > 0) this.#throwViolations()
      return turn()
    })
  }

  #advance(): boolean {
    this.steps += 1
    this.#deferred = 0
    this.#handlers = 0
    if (this.steps > MOST_STEPS) throw this.failure('liveness', `expected an end within ${MOST_STEPS} virtual events`)
    this.time.step()
    return true
  }

  readonly #defer = (task: () => void): void => {
    this.#deferred += 1
    if (this.#deferred === MOST_DEFERRED) this.invariants.fail('contract', `an engine asks for timers without delay without end: time cannot pass`)
    if (this.#deferred < MOST_DEFERRED) soon(task)
  }

  readonly #mayGoOn = (): boolean => {
    this.#handlers += 1
    if (this.#handlers === MOST_HANDLERS) this.invariants.fail('contract', 'an engine asks without end for what is answered at once: time cannot pass')
    return this.#handlers < MOST_HANDLERS
  }

  #throwViolations(): void {
    const [first] = this.invariants.violations
    if (first !== undefined) throw this.failure(first.kind, first.statement)
  }

  #describe(): string {
    const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
    const members = this.peers.map((peer, index) => `vp${index} ${peer.host ? JSON.stringify(peer.host.status(), plain) : 'down'}`)
    const unfinished = this.invariants.unfinished().slice(0, 5).join(', ')
    return `at ${this.time.nowMs.toFixed(3)} ms, accepted ${this.invariants.acceptedCount}, unfinished ${unfinished}\n${members.join('\n')}`
  }

  #peerOptions(options: SimulationOptions<L>, members: readonly Member[], self: Member, endpoint: Endpoint): SimulatedPeerOptions<L> {
    const { engine, successors = [], policy = { kind: 'doors' } } = options
    const heard = (factory: EngineFactory): EngineFactory => this.#heard(factory, self.index)
    const played = { factory: heard(engine.factory), options: engine.options }
    const first = ownEngine(played.factory, { origin: 'the simulation', options: engine.options })
    const catalog = new EngineShelf([
      first,
      ...successors
        .map((each) => ('factory' in each ? each : { factory: each, options: {} }))
        .map(({ factory, options: raw }) => ownEngine(heard(factory), { origin: 'the simulation', options: raw })),
    ])
    const signer = options.signer ? options.signer(self) : createKeyedHashSigner(self)
    const makeDisk = options.makeDisk ?? ((time: VirtualTime, random: Random) => createMemoryDisk(time, random, options.disk ?? DEFAULT_DISK))
    return {
      self,
      endpoint,
      members,
      engine: played,
      seed: BigInt(options.seed) * 1_000_000n,
      time: this.time,
      links: this.links,
      disk: makeDisk(this.time, this.random.fork(`disk ${endpoint}`)),
      openLedger: options.openLedger,
      wrapStore: options.wrapStore ?? ((store) => store),
      engines: catalog,
      network: networkOf(policy),
      random: this.random.fork(`operators of ${endpoint}`),
      chaincode: (ledger, host) =>
        createExecutor(successionRules({ engine: first, members, policy, ledger, signer, recovered: () => host()?.recovery.record })),
      signer,
      limits: options.limits,
      isBreakable: options.breakable?.includes(self.index) ?? false,
      hostsTalk: options.hostsTalk ?? true,
      executesRepetitions: options.executesRepetitions ?? false,
      transfer: options.transfer && ((peer, target) => this.#transfer(peer, target)),
      repair: options.isWhole && ((peer, ledger, isWanted) => this.#repair(peer, ledger, () => isWanted() && options.isWhole?.(ledger) === false)),
      defer: this.#defer,
      mayGoOn: this.#mayGoOn,
      invariants: this.invariants,
      trace: this.trace,
      log: options.log ?? silentLogger,
    }
  }

  /** Its instances of the chain's epochs say who leads; those on trial are not listened to. */
  #heard(factory: EngineFactory, member: MemberIndex): EngineFactory {
    const { order } = this.invariants
    if (!order) return factory
    return heardEngine(factory, ({ epoch }) => (order.made(member, epoch, factory) ? (shown) => order.stated(member, epoch, shown) : undefined))
  }

  /** Asks those who vouched, or everybody, as long as the peer lives and until some of them is within reach and has it. */
  async #transfer(peer: SimulatedPeer<L>, target: TransferTarget): Promise<TransferOutcome> {
    const own = peer.ledger
    const sources = target.members.length > 0 ? target.members : this.peers.map((_, index) => index)
    for (let attempt = 0; attempt < TRANSFER_TRIES; attempt += 1) {
      await this.#pause()
      if (own === undefined || peer.ledger !== own) break
      for (const member of sources) {
        const from = this.links.isUp(peer.endpoint, member) ? this.peers[member]?.ledger : undefined
        if (from && (await this.#transferFrom?.(own, from, target, this.#lieOf(member, from)))) return { reached: true }
      }
    }
    return { reached: false, reason: `none of the members ${sources.join(', ')} could give block ${target.height - 1n}` }
  }

  /** What a member says of its state that is not so: a liar names an engine that nobody decided on. */
  #lieOf(member: MemberIndex, ledger: L): StateLie | undefined {
    const { engine, successors: [next] = [], members } = this.options
    if (!next || this.invariants.isHonest(member)) return undefined
    const other = 'factory' in next ? next.factory : next
    const ids = Array.from({ length: members }, (_, index) => `vp${index}`)
    return anotherEngine(ledger, ids, ledger.height() % 2n === 0n ? other : engine.factory)
  }

  /** Before it takes part, so from whoever has its head block, however the links are. */
  async #repair(peer: SimulatedPeer<L>, own: L, isWanted: () => boolean): Promise<void> {
    while (isWanted()) {
      this.trace.sink?.add({ type: 'repairs', at: peer.endpoint })
      const target = { height: own.height(), hash: own.info().currentBlockHash, members: [] }
      for (const { ledger } of this.peers) if (ledger && isWanted()) await this.#transferFrom?.(own, ledger, target)
      if (isWanted()) await this.#pause()
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.time.schedule(TRANSFER_MS, resolve))
  }
}
