import { type Clock, type Logger, messageOf, PeerError } from '../../kernel/index.js'
import {
  type ConsensusHost,
  type ConsensusTransport,
  createConsensusHost,
  type EngineFactory,
  type Member,
  type StateTransfer,
} from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import type { Store } from '../../plugins/level/index.js'
import type { Invariants } from './invariants.js'
import { createKeyedHashSigner } from './keyed-hash-signer.js'
import type { Links } from './links.js'
import type { CrashKind, SimulatedDisk } from './memory-disk.js'
import { describeEvent, type Trace } from './trace.js'
import { type Executor, txidOf } from './transactions.js'
import { createVirtualClock, type VirtualTime } from './virtual-clock.js'

/** Opens the ledger of one peer; an empty store gets a genesis block. */
export type LedgerOpener<L extends Ledger = Ledger> = (store: Store, clock: Clock) => Promise<L>

/** What all peers of a simulation share, and what is this peer's own. */
export interface SimulatedPeerOptions<L extends Ledger> {
  readonly self: Member
  readonly members: readonly Member[]
  readonly engine: { readonly factory: EngineFactory; readonly options: unknown }
  readonly seed: bigint
  readonly time: VirtualTime
  readonly links: Links
  readonly disk: SimulatedDisk
  readonly openLedger: LedgerOpener<L>
  readonly wrapStore: (store: Store) => Store
  readonly chaincode: Executor
  readonly transfer: StateTransfer | undefined
  readonly invariants: Invariants
  readonly trace: Trace
  readonly log: Logger
}

/** One life of a peer, from a start to a crash. */
interface Life<L extends Ledger> {
  isAlive: boolean
  readonly attachment: { readonly transport: ConsensusTransport; attach(): void; detach(): void }
  host: ConsensusHost | undefined
  ledger: L | undefined
}

/** A validator in a simulation: the real consensus host on a simulated disk, network and clock. Survives its own crashes. */
export class SimulatedPeer<L extends Ledger = Ledger> {
  readonly #options: SimulatedPeerOptions<L>
  #life: Life<L> | undefined
  /** Requests that it refused, by error code. */
  readonly refusals = new Map<string, number>()
  /** How often it was started. */
  starts = 0

  constructor(options: SimulatedPeerOptions<L>) {
    this.#options = options
  }

  /** Started and not crashed. */
  get isUp(): boolean {
    return this.#life !== undefined
  }

  /** Up and past its start. */
  get host(): ConsensusHost | undefined {
    return this.#life?.host
  }

  get ledger(): L | undefined {
    return this.#life?.ledger
  }

  get disk(): SimulatedDisk {
    return this.#options.disk
  }

  /** Begins to start; it goes on in virtual time. Nothing happens if it is up. */
  start(): void {
    if (this.#life) return
    const { links, self, trace } = this.#options
    const life: Life<L> = { isAlive: true, attachment: links.connect(self.index), host: undefined, ledger: undefined }
    this.#life = life
    this.starts += 1
    trace.add(() => `${self.id} starts`)
    this.#boot(life).catch((error: unknown) => {
      if (life.isAlive) this.#options.invariants.violations.push(`${self.id} could not start: ${messageOf(error)}`)
    })
  }

  /** Ends at once, at whatever point it is. Nothing happens if it is down. */
  crash(kind: CrashKind): void {
    const life = this.#life
    if (!life) return
    this.#options.trace.add(() => `${this.#options.self.id} crashes (${kind})`)
    this.#life = undefined
    life.isAlive = false
    life.host?.kill()
    life.attachment.detach()
    this.#options.disk.crash(kind)
  }

  /** A client submits; false if nobody is there to take it. */
  submit(transactionBytes: Uint8Array): boolean {
    const life = this.#life
    if (!life?.host) return false
    const txid = txidOf(transactionBytes)
    this.#follow(life, life.host, transactionBytes, txid).catch((error: unknown) => {
      if (!life.isAlive) return
      const code = error instanceof PeerError ? error.code : 'ERR_UNKNOWN'
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
    })
    return true
  }

  async #follow(life: Life<L>, host: ConsensusHost, transactionBytes: Uint8Array, txid: string): Promise<void> {
    const { invariants, self } = this.#options
    const accepted = await host.submit(transactionBytes)
    if (!life.isAlive) return
    invariants.accepted(self.index, txid)
    const report = await accepted.outcome()
    if (life.isAlive) invariants.reported(self.index, txid, report)
  }

  async #boot(life: Life<L>): Promise<void> {
    const { self, members, engine, seed, time, disk, openLedger, wrapStore, chaincode, transfer, invariants, trace, log } = this.#options
    const clock = createVirtualClock(time, () => life.isAlive)
    const store = wrapStore(await disk.open())
    const ledger = await openLedger(store, clock)
    if (!life.isAlive) return
    invariants.opened(self.index, ledger)
    ledger.onCommit(({ number, bytes }) => {
      if (!life.isAlive) return
      trace.add(() => `${self.id} committed block ${number}`)
      invariants.block(self.index, number, bytes)
    })
    const host = createConsensusHost({
      store,
      ledger,
      chaincode,
      engine,
      members,
      self: self.index,
      epoch: 0n,
      seed: seed + BigInt(self.index) + BigInt(this.starts) * 1000n,
      clock,
      log,
      transport: life.attachment.transport,
      signer: createKeyedHashSigner(self),
      ...(transfer ? { transfer } : {}),
      defer: queueMicrotask,
      onFatal: (reason) => {
        if (life.isAlive) invariants.violations.push(`${self.id} failed: ${messageOf(reason)}`)
      },
      observer: {
        event: (event) => trace.add(() => `${self.id} < ${describeEvent(event)}`),
        sent: ({ vote }) => {
          if (vote) invariants.vote(self.index, vote.slot, vote.value)
        },
      },
    })
    await host.start()
    if (!life.isAlive) return
    life.ledger = ledger
    life.host = host
    life.attachment.attach()
    trace.add(() => `${self.id} runs at height ${ledger.height()}`)
  }
}
