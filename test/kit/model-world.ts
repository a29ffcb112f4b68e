import type { Member, MemberIndex } from '../../plugins/consensus/index.js'
import { failureOf, type FailureKind, type SimulationFailure } from './failures.js'
import { Invariants } from './invariants.js'
import { keyedHashes } from './keyed-hash-signer.js'
import type { Endpoint } from './link-table.js'
import { Links } from './links.js'
import { ModelLibrary } from './model-chain.js'
import { ModelDisk } from './model-disk.js'
import { ModelPeer, type ModelPeerOptions } from './model-peer.js'
import { createRandom, type Random } from './random.js'
import type { SimulationOptions } from './simulation.js'
import type { SyncSigner } from './sync-signer.js'
import { createTrace, type Trace } from './trace.js'
import { VirtualTime } from './virtual-clock.js'
import type { ScenarioWorld } from './world-of-faults.js'

/** The world of one run in which engines alone are real. Everything random in it comes from `seed`. */
export interface ModelWorldOptions
  extends Pick<
    SimulationOptions<never>,
    'seed' | 'members' | 'engine' | 'links' | 'disk' | 'byzantine' | 'twins' | 'hostsTalk' | 'executesRepetitions' | 'trace'
  > {
  /** Default: keyed hashes. */
  readonly signer?: SyncSigner
  /** Requests of the chain that engines are told of when they begin, at most. Default: as many as a peer tells. */
  readonly toldRequests?: number
}

/** As many as a peer tells. */
const MOST_TOLD = 10_000
const MOST_DEFERRED = 100_000
const MOST_HANDLERS = 200_000
const MOST_STEPS = 20_000_000

/**
 * N engines, each on a model of a host: the contract of engines, and nothing else. Single-threaded and without promises: an event is over when the call that it is
 * returns. A broken invariant throws a SimulationFailure from the call that ran into it.
 */
export class ModelWorld implements ScenarioWorld {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly links: Links
  readonly peers: readonly ModelPeer[]
  readonly twins: readonly ModelPeer[]
  readonly invariants: Invariants
  readonly trace: Trace
  steps = 0
  #deferred: (() => void)[] = []
  #handlers = 0

  constructor(options: ModelWorldOptions) {
    const { seed, members: count, engine, twins = [], byzantine = twins } = options
    const members: Member[] = Array.from({ length: count }, (_, index) => ({ index, id: `vp${index}` }))
    this.random = createRandom(seed)
    this.trace = createTrace(() => this.time.nowMs, options.trace ?? false)
    this.invariants = new Invariants({ members: count, agreement: engine.factory.agreement, byzantine })
    const delays = options.links ?? { minDelayMs: 1, maxDelayMs: 10 }
    this.links = new Links(count, this.time, this.random.fork('links'), delays, this.trace.sink, twins)
    this.invariants.watch(this.links)
    const shared = this.#shared(options, members)
    const make = (self: Member, endpoint: Endpoint): ModelPeer => {
      const disk = new ModelDisk(this.time, this.random.fork(`disk ${endpoint}`), options.disk ?? { minWriteMs: 1, maxWriteMs: 5 }, shared.library.genesis)
      return new ModelPeer({ self, endpoint, disk, ...shared })
    }
    this.peers = members.map((self) => make(self, self.index))
    this.twins = members.filter(({ index }) => twins.includes(index)).map((self) => make(self, count + twins.indexOf(self.index)))
  }

  peer(member: MemberIndex): ModelPeer {
    const peer = this.peers[member]
    if (!peer) throw new RangeError(`expected a member 0 to ${this.peers.length - 1}, found ${member}`)
    return peer
  }

  instances(): ModelPeer[] {
    return [...this.peers, ...this.twins]
  }

  async start(limitMs = 10_000): Promise<void> {
    const instances = this.instances()
    for (const peer of instances) peer.start()
    await this.runUntil('all members run', () => instances.every(({ isRunning }) => isRunning), limitMs)
  }

  async run(durationMs: number): Promise<void> {
    const endMs = this.time.nowMs + durationMs
    while (this.time.isDueBy(endMs)) this.#advance()
    this.time.advanceTo(endMs)
  }

  async runUntil(what: string, isReached: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.time.nowMs + limitMs
    while (!isReached()) {
      if (!this.time.isDueBy(endMs)) throw this.failure('liveness', `expected within ${limitMs} ms of virtual time: ${what}`)
      this.#advance()
    }
  }

  /** One virtual event and everything that follows from it at the same moment. */
  step(): void {
    this.#advance()
  }

  async checkAll(): Promise<void> {
    for (const [index, { chain }] of this.peers.entries()) if (chain) this.invariants.finalChain(index, chain)
    this.#throwViolations()
  }

  failure(kind: FailureKind, statement: string): SimulationFailure {
    this.trace.sink?.add({ type: 'violation', kind, text: statement })
    const unfinished = this.invariants.unfinished().slice(0, 5).join(', ')
    const facts = `at ${this.time.nowMs.toFixed(3)} ms, accepted ${this.invariants.acceptedCount}, unfinished ${unfinished}`
    return failureOf({ kind, statement }, [facts, ...this.peers.map((peer, index) => `vp${index} ${peer.describe()}`)].join('\n'))
  }

  #advance(): void {
    this.steps += 1
    this.#handlers = 0
    if (this.steps > MOST_STEPS) throw this.failure('liveness', `expected an end within ${MOST_STEPS} virtual events`)
    this.time.step()
    if (this.#deferred.length > 0) this.#runDeferred()
    if (this.invariants.violations.length > 0) this.#throwViolations()
  }

  /** What waits for the end of the moment, and what that brings. */
  #runDeferred(): void {
    const tasks = this.#deferred
    for (let next = 0; next < tasks.length; next += 1) {
      tasks[next]?.()
      if (next < MOST_DEFERRED) continue
      this.invariants.fail('contract', 'an engine asks for timers without delay without end: time cannot pass')
      break
    }
    tasks.length = 0
  }

  #throwViolations(): void {
    const [first] = this.invariants.violations
    if (first !== undefined) throw this.failure(first.kind, first.statement)
  }

  #shared(options: ModelWorldOptions, members: readonly Member[]): Omit<ModelPeerOptions, 'self' | 'endpoint' | 'disk'> {
    const { engine, seed, toldRequests = MOST_TOLD, signer = keyedHashes, hostsTalk = true, executesRepetitions = false } = options
    return {
      members,
      factory: engine.factory,
      engineOptions: engine.factory.parseOptions(engine.options),
      worldSeed: BigInt(seed) * 1_000_000n,
      time: this.time,
      links: this.links,
      library: new ModelLibrary(),
      signer,
      maxTold: toldRequests,
      executesRepetitions,
      hostsTalk,
      peers: () => this.peers,
      invariants: this.invariants,
      trace: this.trace,
      defer: (task) => void this.#deferred.push(task),
      mayGoOn: () => this.#mayGoOn(),
    }
  }

  #mayGoOn(): boolean {
    this.#handlers += 1
    if (this.#handlers === MOST_HANDLERS) this.invariants.fail('contract', 'an engine asks without end for what is answered at once: time cannot pass')
    return this.#handlers < MOST_HANDLERS
  }
}
