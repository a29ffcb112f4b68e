import { type Clock, type Logger, messageOf, PeerError } from '../../kernel/index.js'
import {
  type ConsensusHost,
  type ConsensusHostOptions,
  type ConsensusSigner,
  CONSENSUS_NAME,
  createConsensusHost,
  type EngineFactory,
  type Member,
  type StateTransfer,
  SUCCESSION_KEYS,
} from '../../plugins/consensus/index.js'
import { decode, EpochRecord, SwapCandidate } from '../../proto/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import type { Store } from '../../plugins/level/index.js'
import { splitTransport } from './channels.js'
import type { EngineShelf } from './engine-shelf.js'
import type { FailureKind } from './failures.js'
import type { Invariants } from './invariants.js'
import type { Endpoint } from './link-table.js'
import type { Attachment, Links } from './links.js'
import type { CrashKind, SimulatedDisk } from './memory-disk.js'
import { MessageOrder } from './message-order.js'
import type { Random } from './random.js'
import { stateOf } from './succession-model.js'
import { type Trace, tracedLogger } from './trace.js'
import { type Executor, txidOf } from './transactions.js'
import { createVirtualClock, type VirtualTime } from './virtual-clock.js'

const SUCCESSION = Buffer.from(CONSENSUS_NAME)
/** Of the record and the candidate. */
const KEYS = SUCCESSION_KEYS.slice(0, 2).map((key) => Buffer.from(key))

/** Opens the ledger of one peer; an empty store gets a genesis block. */
export type LedgerOpener<L extends Ledger = Ledger> = (store: Store, clock: Clock) => Promise<L>

/** What all peers of a simulation share, and what is this peer's own. */
/** Whether a host has an engine, or waits for its code, or has not begun. */
function isAtWork(host: ConsensusHost | undefined): boolean {
  const halted = host?.status().halted
  return halted === undefined || halted.startsWith('this validator follows the others')
}

export interface SimulatedPeerOptions<L extends Ledger> {
  readonly self: Member
  /** Differs from the member's index in the second instance of a twin. */
  readonly endpoint: Endpoint
  readonly members: readonly Member[]
  readonly engine: { readonly factory: EngineFactory; readonly options: unknown }
  readonly engines: EngineShelf
  /** The network that operators sign for; empty: nobody signs. */
  readonly network: string
  /** For what operators' calls hold. */
  readonly random: Random
  readonly seed: bigint
  readonly time: VirtualTime
  readonly links: Links
  readonly disk: SimulatedDisk
  readonly openLedger: LedgerOpener<L>
  readonly wrapStore: (store: Store) => Store
  /** Executes on the ledger of one life. */
  readonly chaincode: (ledger: Ledger, host: () => ConsensusHost | undefined) => Executor
  readonly signer: ConsensusSigner | undefined
  readonly limits: ConsensusHostOptions['limits']
  readonly executesRepetitions: boolean
  readonly hostsTalk: boolean
  /** That its engine is halted is no failure. */
  readonly isBreakable: boolean
  readonly transfer: ((peer: SimulatedPeer<L>, target: Parameters<StateTransfer>[0]) => ReturnType<StateTransfer>) | undefined
  /** Finishes a transfer that a crash interrupted. */
  readonly repair: ((peer: SimulatedPeer<L>, ledger: L, isWanted: () => boolean) => Promise<void>) | undefined
  readonly defer: (task: () => void) => void
  /** Told before each handler; false: time cannot pass any more, the peer has to end. */
  readonly mayGoOn: () => boolean
  readonly invariants: Invariants
  readonly trace: Trace
  readonly log: Logger
}

/** One life of a peer, from a start to a crash. */
interface Life<L extends Ledger> {
  isAlive: boolean
  isStopping: boolean
  readonly attachment: Attachment
  /** Made, and perhaps not past its start. */
  starting: ConsensusHost | undefined
  host: ConsensusHost | undefined
  ledger: L | undefined
}

/** A validator in a simulation: the real consensus host on a simulated disk, network and clock. Survives its own crashes. */
export class SimulatedPeer<L extends Ledger = Ledger> {
  readonly #options: SimulatedPeerOptions<L>
  #life: Life<L> | undefined
  #startsAgain = false
  /** Requests that it refused, by error code. */
  readonly refusals = new Map<string, number>()
  /** How often it was started. */
  starts = 0
  /** Virtual time that the execution of a batch takes, in milliseconds. */
  readonly execution = { slowMs: 0 }
  /** How far its wall clock is off, in milliseconds. */
  clockJumpMs = 0

  constructor(options: SimulatedPeerOptions<L>) {
    this.#options = options
  }

  /** Its identity. */
  get member(): Member {
    return this.#options.self
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint
  }

  /** Started and not crashed. */
  get isUp(): boolean {
    return this.#life !== undefined
  }

  /** Up and past its start. */
  get host(): ConsensusHost | undefined {
    return this.#life?.host
  }

  get isRunning(): boolean {
    return this.host !== undefined
  }

  get pendingRequests(): number | undefined {
    return this.host?.status().pendingRequests
  }

  get ledger(): L | undefined {
    return this.#life?.ledger
  }

  /** The engines that it has. */
  get shelf(): EngineShelf {
    return this.#options.engines
  }

  get disk(): SimulatedDisk {
    return this.#options.disk
  }

  /** Begins to start; it goes on in virtual time. If it is stopping, as soon as it is down. Nothing happens if it is up. */
  start(): void {
    if (this.#life) {
      this.#startsAgain = this.#life.isStopping
      return
    }
    this.#startsAgain = false
    const { links, endpoint, trace } = this.#options
    const life: Life<L> = { isAlive: true, isStopping: false, attachment: links.connect(endpoint), starting: undefined, host: undefined, ledger: undefined }
    this.#life = life
    this.starts += 1
    this.#options.invariants.order?.shaken(this.member.index)
    trace.sink?.add({ type: 'starts', at: endpoint })
    this.#boot(life).catch((error: unknown) => {
      if (life.isAlive) this.#failed('could not start', error)
    })
  }

  /** Ends at once, at whatever point it is. Nothing happens if it is down. */
  crash(kind: CrashKind): void {
    const life = this.#life
    if (!life) return
    this.#options.trace.sink?.add({ type: 'crashes', at: this.endpoint, kind: this.disk.hasFailed ? 'disk' : kind })
    this.#life = undefined
    this.#options.invariants.order?.shaken(this.member.index)
    life.isAlive = false
    life.host?.kill()
    life.attachment.detach()
    this.#options.disk.crash(kind)
  }

  /** Begins to stop in good order, as `peer node stop` does; it goes on in virtual time. Nothing happens if it is down. */
  beginStop(): void {
    const life = this.#life
    if (!life) return
    if (!life.host) return this.crash('kill')
    if (life.isStopping) return
    life.isStopping = true
    this.#options.invariants.order?.shaken(this.member.index)
    this.#options.trace.sink?.add({ type: 'stops', at: this.endpoint })
    const end = (): void => {
      if (this.#life !== life) return
      this.crash('kill')
      if (this.#startsAgain) this.start()
    }
    life.host.stop().then(end, (error: unknown) => {
      if (life.isAlive) this.#failed('could not stop', error)
      end()
    })
  }

  /** A client submits; false if nobody is there to take it. */
  submit(transactionBytes: Uint8Array): boolean {
    const life = this.#life
    if (!life?.host) return false
    this.#options.invariants.submitted(transactionBytes, this.member.index)
    this.#follow(life, life.host, transactionBytes).catch((error: unknown) => {
      if (!life.isAlive) return
      const code = error instanceof PeerError ? error.code : 'ERR_UNKNOWN'
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
    })
    return true
  }

  /** A liar: its host is told that nobody has seen this request. Nothing is expected of it. */
  submitAsNew(transactionBytes: Uint8Array): void {
    const life = this.#life
    life?.host?.submit(transactionBytes, { isNew: true }).catch((error: unknown) => {
      if (life.isAlive && !(error instanceof PeerError)) this.#failed('refused a request', error)
    })
  }

  /** Its engine is begun anew. Nothing happens if it cannot be now. */
  restartEngine(): void {
    const life = this.#life
    life?.host?.restartEngine().catch((error: unknown) => {
      if (life.isAlive && !(error instanceof PeerError)) this.#failed('could not begin its engine anew', error)
    })
  }

  async #follow(life: Life<L>, host: ConsensusHost, transactionBytes: Uint8Array): Promise<void> {
    const { invariants, self, trace } = this.#options
    const accepted = await host.submit(transactionBytes)
    if (!life.isAlive) return
    invariants.accepted(self.index, transactionBytes)
    trace.sink?.add({ type: 'accepted', at: this.endpoint, txid: txidOf(transactionBytes) })
    const report = await accepted.outcome()
    if (life.isAlive) invariants.reported(self.index, transactionBytes, report)
  }

  async #boot(life: Life<L>): Promise<void> {
    const { time, disk, openLedger, wrapStore, repair, trace } = this.#options
    const clock = createVirtualClock(
      time,
      () => life.isAlive,
      () => this.clockJumpMs,
    )
    const store = wrapStore(await disk.open())
    const ledger = await openLedger(store, clock)
    await repair?.(this, ledger, () => life.isAlive)
    if (!life.isAlive) return
    this.#watch(life, ledger)
    const host = createConsensusHost(this.#hostOptions(life, store, ledger, clock))
    life.starting = host
    await host.start()
    if (!life.isAlive) return
    life.ledger = ledger
    life.host = host
    life.attachment.attach()
    trace.sink?.add({ type: 'runs', at: this.endpoint, height: ledger.height() })
  }

  #watch(life: Life<L>, ledger: L): void {
    const { self, invariants, trace, endpoint } = this.#options
    invariants.opened(self.index, ledger)
    ledger.onCommit(({ number, bytes, info, executed }) => {
      if (!life.isAlive) return
      const isHead = number + 1n === info.height
      invariants.block(self.index, number, bytes, isHead ? info.currentBlockHash : undefined)
      if (isHead && executed.length > 0) invariants.succession(self.index, number, this.#succession(ledger))
      if (!trace.sink) return
      const hash = Buffer.from(info.currentBlockHash).toString('hex', 0, 8)
      trace.sink.add({ type: 'committed', at: endpoint, block: number, hash, transactions: executed.length })
    })
  }

  #hostOptions(life: Life<L>, store: Store, ledger: L, clock: Clock): ConsensusHostOptions {
    const { self, members, engine, engines, network, random, seed, signer, limits, executesRepetitions, hostsTalk, transfer, invariants, endpoint } =
      this.#options
    const sink = this.#options.trace.sink
    const order = new MessageOrder({
      isHonest: (member) => invariants.isHonest(member),
      epoch: () => life.starting?.swaps.view().record.epoch ?? 0n,
      wrong: (statement) => this.#violation('contract', statement),
    })
    const { transport, notes } = order.watch(splitTransport(life.attachment.transport))
    return {
      store,
      ledger,
      chaincode: this.#chaincode(life, clock, ledger),
      engine,
      engines,
      network,
      members,
      self: self.index,
      seed: seed + BigInt(endpoint) + BigInt(this.starts) * 1000n,
      clock,
      log: this.#logger(life),
      transport,
      ...(hostsTalk ? { notes } : {}),
      signer,
      executesRepetitions,
      ...(limits ? { limits } : {}),
      randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
      ...(transfer ? { transfer: (target) => transfer(this, target) } : {}),
      defer: this.#options.defer,
      onFatal: (reason) => {
        if (life.isAlive) this.#failed('failed', reason)
      },
      observer: {
        begins: (epoch) => {
          order.begins(epoch)
          invariants.order?.begins(self.index, epoch, invariants.heightOf(self.index))
        },
        event: (event, epoch) => {
          if (event.type === 'delivered' && event.block !== 'skipped') invariants.delivered(self.index, epoch, event.block.number)
          else if (event.type === 'transferred') invariants.order?.transferred(self.index, event.result)
          order.told(event, epoch)
          sink?.add({ type: 'event', at: endpoint, event })
          if (!this.#options.mayGoOn()) queueMicrotask(() => this.crash('kill'))
        },
        sent: ({ vote }, epoch) => {
          if (!vote) return
          const slot = epoch === 0n ? vote.slot : `epoch ${epoch} ${vote.slot}`
          sink?.add({ type: 'vote', at: endpoint, slot, value: vote.value })
          invariants.vote(self.index, slot, vote.value)
        },
      },
    }
  }

  /** The engine's halt is only logged: the peer goes on without it. */
  #logger(life: Life<L>): Logger {
    const { log: silent, isBreakable, trace } = this.#options
    const log = trace.sink ? tracedLogger(silent, trace.sink, this.endpoint) : silent
    if (isBreakable) return log
    return {
      ...log,
      critical: (message, facts) => {
        log.critical(message, facts)
        // Whoever has not got the code may follow without it, and has to say so; again if the reason is another one.
        if (life.isAlive && !(this.shelf.isSpoilt && isAtWork(life.host)))
          this.#violation('contract', `is halted: ${typeof facts?.['reason'] === 'string' ? facts['reason'] : message}`)
      },
    }
  }

  #succession(ledger: L): string {
    const [record, candidate] = KEYS.map((key) => ledger.committed.get(SUCCESSION, key))
    return stateOf(this.#options.engine.factory, record && decode(EpochRecord, record), candidate && decode(SwapCandidate, candidate))
  }

  #chaincode(life: Life<L>, clock: Clock, ledger: L): Executor {
    const chaincode = this.#options.chaincode(ledger, () => life.starting)
    return {
      execute: async (batch, transactions) => {
        const { slowMs } = this.execution
        if (slowMs > 0) await new Promise<void>((resolve) => void clock.setTimer(slowMs, resolve))
        return chaincode.execute(batch, transactions)
      },
    }
  }

  /** A peer whose disk could not write has to end; anything else must not happen. */
  #failed(what: string, reason: unknown): void {
    if (this.disk.hasFailed) this.crash('kill')
    else this.#violation('safety', `${what}: ${messageOf(reason)}`)
  }

  #violation(kind: FailureKind, what: string): void {
    const { invariants, self } = this.#options
    if (invariants.isHonest(self.index)) invariants.fail(kind, `${self.id} ${what}`)
  }
}
