import { setImmediate } from 'node:timers'
import type { Logger } from '../../kernel/index.js'
import type { EngineFactory, Member, MemberIndex, TransferTarget } from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import type { Store } from '../../plugins/level/index.js'
import { Invariants } from './invariants.js'
import { type LinkOptions, Links } from './links.js'
import { createMemoryDisk, type MemoryDiskOptions, type SimulatedDisk } from './memory-disk.js'
import { createRandom, type Random } from './random.js'
import { type LedgerOpener, SimulatedPeer } from './simulated-peer.js'
import { createTrace, type Trace } from './trace.js'
import { createExecutor } from './transactions.js'
import { VirtualTime } from './virtual-clock.js'

/** The world of one run. Everything random in it comes from `seed`. */
export interface SimulationOptions<L extends Ledger> {
  readonly seed: number
  readonly members: number
  readonly engine: { readonly factory: EngineFactory; readonly options?: unknown }
  readonly openLedger: LedgerOpener<L>
  /** Default: the memory disk. */
  readonly makeDisk?: (time: VirtualTime, random: Random) => SimulatedDisk
  readonly disk?: MemoryDiskOptions
  /** What a peer sees of its store; for deliberately broken ones. */
  readonly wrapStore?: (store: Store) => Store
  readonly links?: LinkOptions
  /** Brings a member's ledger to the target from another's; resolves false if that cannot give it. Without it only the own head can be reached. */
  readonly transfer?: (to: L, from: L, target: TransferTarget) => Promise<boolean>
  /** Keep what happened line by line. Default false. */
  readonly trace?: boolean
  readonly log?: Logger
}

const DEFAULT_LINKS: LinkOptions = { minDelayMs: 1, maxDelayMs: 10 }
const DEFAULT_DISK: MemoryDiskOptions = { minWriteMs: 1, maxWriteMs: 5 }
const TRANSFER_MS = 20

/**
 * N validators with the real consensus host in virtual time. Single-threaded and deterministic: between two virtual events everything that promises
 * still have to do is done, so the order of everything follows from the seed. A broken invariant throws from the call that ran into it.
 */
export class Simulation<L extends Ledger = Ledger> {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly links: Links
  readonly peers: readonly SimulatedPeer<L>[]
  readonly invariants: Invariants
  readonly trace: Trace
  /** Virtual events so far. */
  steps = 0

  constructor(options: SimulationOptions<L>) {
    const { seed, members: count, engine } = options
    const members: Member[] = Array.from({ length: count }, (_, index) => ({ index, id: `vp${index}` }))
    this.random = createRandom(seed)
    this.trace = createTrace(() => this.time.nowMs, options.trace ?? false)
    this.invariants = new Invariants(count, engine.factory.agreement)
    this.links = new Links(count, this.time, this.random.fork('links'), options.links ?? DEFAULT_LINKS, (line) => this.trace.add(line))
    const makeDisk = options.makeDisk ?? ((time: VirtualTime, random: Random) => createMemoryDisk(time, random, options.disk ?? DEFAULT_DISK))
    this.peers = members.map(
      (self) =>
        new SimulatedPeer<L>({
          self,
          members,
          engine: { factory: engine.factory, options: engine.options },
          seed: BigInt(seed) * 1_000_000n,
          time: this.time,
          links: this.links,
          disk: makeDisk(this.time, this.random.fork(`disk ${self.id}`)),
          openLedger: options.openLedger,
          wrapStore: options.wrapStore ?? ((store) => store),
          chaincode: createExecutor(),
          transfer: options.transfer && ((target) => this.#transfer(self.index, target, options.transfer)),
          invariants: this.invariants,
          trace: this.trace,
          log: options.log ?? silentLogger,
        }),
    )
  }

  /** Starts every member and waits until all of them run. */
  async start(): Promise<void> {
    for (const peer of this.peers) peer.start()
    await this.runUntil('all members run', () => this.peers.every(({ host }) => host !== undefined), 10_000)
  }

  /** The member of that index; throws a RangeError if there is none. */
  peer(member: MemberIndex): SimulatedPeer<L> {
    const peer = this.peers[member]
    if (!peer) throw new RangeError(`expected a member 0 to ${this.peers.length - 1}, found ${member}`)
    return peer
  }

  /** Lets virtual time pass. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.time.nowMs + durationMs
    for (let nextMs = this.time.nextMs(); nextMs !== undefined && nextMs <= endMs; nextMs = this.time.nextMs()) await this.step()
    this.time.advanceTo(endMs)
  }

  /** Runs until `isReached`; throws after `limitMs` of virtual time without it. */
  async runUntil(what: string, isReached: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.time.nowMs + limitMs
    await this.#settle()
    while (!isReached()) {
      const nextMs = this.time.nextMs()
      if (nextMs === undefined || nextMs > endMs) throw new Error(`expected within ${limitMs} ms of virtual time: ${what}; ${this.#describe()}`)
      await this.step()
    }
  }

  /** One virtual event and everything that follows from it at the same moment. */
  async step(): Promise<void> {
    this.time.step()
    this.steps += 1
    await this.#settle()
  }

  /** Reads every running member's ledger again and compares it with everything that was ever announced. */
  async checkAll(): Promise<void> {
    for (const [index, { ledger }] of this.peers.entries()) if (ledger) await this.invariants.final(index, ledger)
    this.#throwViolations()
  }

  /** Promises and ticks run out before an immediate does, however long their chains are: nothing in a simulated peer waits for anything real. */
  async #settle(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    if (this.invariants.violations.length > 0) this.#throwViolations()
  }

  #throwViolations(): void {
    const [first] = this.invariants.violations
    if (first !== undefined) throw new Error(`${first}; ${this.#describe()}`)
  }

  #describe(): string {
    const members = this.peers.map(
      (peer, index) =>
        `vp${index} ${peer.host ? JSON.stringify(peer.host.status(), (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)) : 'down'}`,
    )
    return `at ${this.time.nowMs.toFixed(3)} ms, accepted ${this.invariants.acceptedCount}, unfinished ${this.invariants.unfinished().slice(0, 5).join(' ')}\n${members.join('\n')}`
  }

  async #transfer(
    to: MemberIndex,
    target: TransferTarget,
    copy: SimulationOptions<L>['transfer'],
  ): Promise<{ readonly reached: true } | { readonly reached: false; readonly reason: string }> {
    await new Promise<void>((resolve) => {
      this.time.schedule(TRANSFER_MS, resolve)
    })
    const own = this.peer(to).ledger
    const sources = target.members.length > 0 ? target.members : this.peers.map((_, index) => index)
    for (const member of sources) {
      const from = this.peer(member).ledger
      if (own && copy && from && member !== to && (await copy(own, from, target))) return { reached: true }
    }
    return { reached: false, reason: `none of the members ${sources.join(', ')} could give block ${target.height - 1n}` }
  }
}

const silent = (): void => undefined
const silentLogger: Logger = {
  module: 'simulation',
  critical: silent,
  error: silent,
  warning: silent,
  notice: silent,
  info: silent,
  debug: silent,
  isEnabled: () => false,
  in: () => silentLogger,
}
