import type { EngineFactory, Member, TransferTarget } from '../../plugins/consensus/index.js'
import type { Endpoint } from './link-table.js'
import type { Attachment, Links } from './links.js'
import type { CrashKind } from './memory-disk.js'
import type { ModelBlock, ModelLibrary } from './model-chain.js'
import { type ModelDisk, modelWrite } from './model-disk.js'
import { ModelSession } from './model-host.js'
import { ModelPool } from './model-pool.js'
import { ModelLookout } from './model-lookout.js'
import type { Invariants } from './invariants.js'
import type { SyncSigner } from './sync-signer.js'
import type { Trace } from './trace.js'
import type { VirtualTime } from './virtual-clock.js'
import type { ScenarioPeer } from './world-of-faults.js'

/** What all modelled peers of a world share, and what is this peer's own. */
export interface ModelPeerOptions {
  readonly self: Member
  /** Differs from the member's index in the second instance of a twin. */
  readonly endpoint: Endpoint
  readonly members: readonly Member[]
  readonly factory: EngineFactory
  /** Parsed. */
  readonly engineOptions: unknown
  /** Of all instances: each makes its own of it. */
  readonly worldSeed: bigint
  readonly time: VirtualTime
  readonly links: Links
  readonly disk: ModelDisk
  readonly library: ModelLibrary
  readonly signer: SyncSigner
  readonly maxTold: number
  readonly executesRepetitions: boolean
  readonly hostsTalk: boolean
  /** The first instances of all members. */
  readonly peers: () => readonly ModelPeer[]
  readonly invariants: Invariants
  readonly trace: Trace
  readonly defer: (task: () => void) => void
  readonly mayGoOn: () => boolean
}

/** One life of a peer, from a start to a crash. */
interface Life {
  readonly attachment: Attachment
  readonly clockJumpMs: number
  /** Members whose links are up. */
  readonly up: Set<number>
  pool: ModelPool | undefined
  session: ModelSession | undefined
  lookout: ModelLookout | undefined
  isStopping: boolean
  isHalted: boolean
  /** It takes the chain of the others, or its engine is begun anew. */
  isBetween: boolean
}

const TRANSFER_MS = 20
const TRANSFER_TRIES = 50

/** A validator of which only the engine is real: requests, disk, chain, timers and help of the hosts are a model of what the contract of engines promises. Survives its crashes. */
export class ModelPeer implements ScenarioPeer {
  readonly execution = { slowMs: 0 }
  clockJumpMs = 0
  starts = 0
  readonly #options: ModelPeerOptions
  #life: Life | undefined
  #startsAgain = false

  constructor(options: ModelPeerOptions) {
    this.#options = options
    const crash = (): void => this.crash('kill')
    options.disk.onFailure = crash
  }

  get member(): Member {
    return this.#options.self
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint
  }

  get disk(): ModelDisk {
    return this.#options.disk
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get isRunning(): boolean {
    return this.#life?.session !== undefined || this.#life?.isBetween === true
  }

  get pendingRequests(): number | undefined {
    return this.#life?.pool?.size
  }

  /** The chain, while it runs: what others may take from it. */
  get chain(): readonly ModelBlock[] | undefined {
    return this.isRunning ? this.disk.image.blocks : undefined
  }

  /** In a few words, for failures. */
  describe(): string {
    const life = this.#life
    if (!life) return 'down'
    const words = [`height ${this.disk.image.blocks.length}`, `${life.pool?.size ?? 0} requests wait`]
    if (life.isHalted) words.push('halted')
    if (life.isBetween) words.push('catches up')
    return words.join(', ')
  }

  start(): void {
    if (this.#life) {
      this.#startsAgain = this.#life.isStopping
      return
    }
    this.#startsAgain = false
    const { links, endpoint, trace, time } = this.#options
    const life: Life = {
      attachment: links.connect(endpoint),
      clockJumpMs: this.clockJumpMs,
      up: new Set(),
      pool: undefined,
      session: undefined,
      lookout: undefined,
      isStopping: false,
      isHalted: false,
      isBetween: false,
    }
    this.#life = life
    this.starts += 1
    this.#options.invariants.order?.shaken(this.member.index)
    trace.sink?.add({ type: 'starts', at: endpoint })
    time.schedule(this.disk.accessMs(), () => {
      if (this.#life === life) this.#boot(life)
    })
  }

  crash(kind: CrashKind): void {
    const life = this.#life
    if (!life) return
    const { trace, disk } = this.#options
    trace.sink?.add({ type: 'crashes', at: this.endpoint, kind: disk.hasFailed ? 'disk' : kind })
    this.#life = undefined
    this.#options.invariants.order?.shaken(this.member.index)
    life.session?.end()
    life.session = undefined
    life.attachment.detach()
    disk.crash(kind)
  }

  beginStop(): void {
    const life = this.#life
    if (!life) return
    if (!life.session) return this.crash('kill')
    if (life.isStopping) return
    life.isStopping = true
    this.#options.invariants.order?.shaken(this.member.index)
    this.#options.trace.sink?.add({ type: 'stops', at: this.endpoint })
    life.session.quieten()
    life.session.deliveries.close(() =>
      this.#flushed(life, () => {
        this.crash('kill')
        if (this.#startsAgain) this.start()
      }),
    )
  }

  submit(transaction: Uint8Array): boolean {
    const life = this.#life
    if (!life?.pool) return false
    this.#options.invariants.submitted(transaction, this.member.index)
    if (!life.isStopping && !life.isHalted && !life.isBetween) life.pool.submit(this.#options.library.transaction(transaction), false)
    return true
  }

  submitAsNew(transaction: Uint8Array): void {
    const life = this.#life
    if (life?.pool && !life.isStopping && !life.isHalted && !life.isBetween) life.pool.submit(this.#options.library.transaction(transaction), true)
  }

  restartEngine(): void {
    const life = this.#life
    if (life?.session && !life.isStopping && !life.isBetween) this.#leave(life, () => this.#enter(life))
  }

  #boot(life: Life): void {
    const { invariants, disk, self, trace, endpoint, hostsTalk, members, factory } = this.#options
    invariants.openedChain(self.index, disk.image.blocks)
    const { library, links } = this.#options
    const pool = new ModelPool({
      self: self.index,
      endpoint,
      library,
      disk,
      invariants,
      sink: trace.sink,
      ready: (request) => life.session?.post({ type: 'request', request }),
    })
    pool.reconcile(() => {
      if (this.#life !== life) return
      life.pool = pool
      life.attachment.transport.receive({
        message: (from, bytes) => life.session?.message(from, bytes),
        peer: (member, up) => {
          if (up) life.up.add(member)
          else life.up.delete(member)
          life.session?.peer(member, up)
        },
      })
      this.#enter(life)
      if (this.#life !== life) return
      life.attachment.attach()
      trace.sink?.add({ type: 'runs', at: endpoint, height: BigInt(disk.image.blocks.length) })
      if (!hostsTalk || !factory.agreement || members.length < 2) return
      const { crashed, byzantine } = factory.tolerates(members.length)
      life.lookout = new ModelLookout({
        quorum: Math.max(crashed, byzantine) + 1,
        self: self.index,
        time: this.#options.time,
        blocks: () => disk.image.blocks,
        isOver: () => this.#life !== life,
        isIdle: () => !life.isHalted && !life.isStopping && life.session?.deliveries.isIdle === true,
        chains: () => this.#options.peers().map((peer, index) => (links.isUp(endpoint, index) ? peer.chain : undefined)),
        behind: (target) => this.#catchUp(life, target),
      })
      life.lookout.look()
    })
  }

  #enter(life: Life): void {
    const { options, pool } = { options: this.#options, pool: life.pool }
    if (!pool) return
    const { self, worldSeed, endpoint, links } = options
    const session = new ModelSession({
      seed: worldSeed + BigInt(endpoint) + BigInt(this.starts) * 1000n,
      clockJumpMs: life.clockJumpMs,
      pool,
      sink: options.trace.sink,
      send: (to, bytes) => life.attachment.transport.send(to, bytes),
      execute: (task) => this.#execute(life, task),
      transfer: (target, ended) => this.#transfer(life, target, TRANSFER_TRIES, ended),
      grown: (blocks) => this.#grown(blocks),
      halted: (reason) => {
        life.isHalted = true
        if (options.invariants.isHonest(self.index)) options.invariants.fail('contract', `${self.id} is halted: ${reason}`)
      },
      ...options,
    })
    life.session = session
    life.isBetween = false
    life.isHalted = false
    session.begin()
    for (const member of life.up) if (links.isUp(endpoint, member)) session.peer(member, true)
  }

  /** The engine is let go; `left` when nothing of it is in progress, and what it asked to be stored is on disk. */
  #leave(life: Life, left: () => void): void {
    const { session } = life
    life.session = undefined
    life.isBetween = true
    if (!session) return left()
    session.end()
    session.deliveries.close(() => this.#flushed(life, left))
  }

  #flushed(life: Life, then: () => void): void {
    if (this.#life === life)
      this.disk.write(
        modelWrite(() => {
          if (this.#life === life) then()
        }, {}),
      )
  }

  #execute(life: Life, task: () => void): void {
    const { slowMs } = this.execution
    if (slowMs <= 0) return task()
    this.#options.time.schedule(slowMs, () => {
      if (this.#life === life) task()
    })
  }

  #grown(blocks: readonly ModelBlock[]): void {
    const { invariants, self, trace, endpoint } = this.#options
    for (const block of blocks) {
      invariants.announcedBlock(self.index, block)
      trace.sink?.add({
        type: 'committed',
        at: endpoint,
        block: block.number,
        hash: Buffer.from(block.head.hash).toString('hex', 0, 8),
        transactions: block.transactions.length,
      })
    }
  }

  /** Asks those who vouched, or everybody, until some of them is within reach and has it. */
  #transfer(life: Life, target: TransferTarget, tries: number, ended: (failure: string | undefined) => void): void {
    if (this.#isAt(target)) return ended(undefined)
    const sources = target.members.length > 0 ? target.members : this.#options.members.map(({ index }) => index)
    if (tries === 0) return ended(`none of the members ${sources.join(', ')} could give block ${target.height - 1n}`)
    this.#options.time.schedule(TRANSFER_MS, () => {
      if (this.#life !== life) return
      const blocks = this.#blocksOf(sources, target)
      if (!blocks) return this.#transfer(life, target, tries - 1, ended)
      const done = (): void => {
        this.#grown(blocks)
        ended(this.#isAt(target) ? undefined : `the transfer ended at height ${this.disk.image.blocks.length} instead of ${target.height}`)
      }
      if (blocks.length === 0) done()
      else this.disk.write(modelWrite(done, { blocks }))
    })
  }

  #isAt({ height, hash }: TransferTarget): boolean {
    const { head } = this.disk.image
    return head.head.height === height && Buffer.compare(head.head.hash, hash) === 0
  }

  /** What somebody within reach has above the own chain, up to the target. */
  #blocksOf(sources: readonly number[], { height, hash }: TransferTarget): ModelBlock[] | undefined {
    const { peers, links, endpoint } = this.#options
    for (const member of sources) {
      const chain = links.isUp(endpoint, member) ? peers()[member]?.chain : undefined
      const wanted = chain?.[Number(height) - 1]
      if (chain && wanted && Buffer.compare(wanted.head.hash, hash) === 0) return chain.slice(this.disk.image.blocks.length, Number(height))
    }
    return undefined
  }

  /** Others agree on more than the own engine has learnt, and nothing moves: it takes their chain and begins anew. */
  #catchUp(life: Life, target: TransferTarget): void {
    this.#leave(life, () => this.#takeChain(life, target))
  }

  #takeChain(life: Life, target: TransferTarget): void {
    this.#transfer(life, target, TRANSFER_TRIES, (failure) => {
      if (this.#life !== life) return
      const newer = failure === undefined ? undefined : life.lookout?.agreed()
      if (newer) return this.#takeChain(life, newer)
      life.pool?.reconcile(() => {
        if (this.#life === life) this.#enter(life)
      })
    })
  }
}
