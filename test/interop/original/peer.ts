import { BlockchainInfo, decode, Message_Type as T, type PeerEndpoint, PeerEndpoint_Type, Response_StatusCode } from '../../../proto/index.js'
import { BatchEngine, type BatchOptions } from './batch.js'
import { OriginalBatch } from './chaincode.js'
import { Chat } from './chat.js'
import { type LedgerShape, OriginalLedger } from './ledger.js'
import { Panic, type Stream, type Surroundings } from './surroundings.js'
import { Transfer } from './transfer.js'

export interface OriginalOptions extends Omit<BatchOptions, 'id'> {
  readonly name: string
  readonly address: string
  readonly rootNodes: readonly string[]
  readonly type?: PeerEndpoint_Type
  readonly shape: LedgerShape
  readonly discoveryMs?: number
  readonly touchMs?: number
  readonly maxDeltas?: number
  readonly executionMs?: number
  readonly blocksChannel?: number
  readonly deltasChannel?: number
  /** Rejects if nobody listens there. */
  readonly dial: (address: string) => Promise<Stream>
}

/** What an original keeps over a restart. */
export interface OriginalDisk {
  readonly ledger: OriginalLedger
  readonly records: Map<string, Uint8Array>
  readonly addresses: Set<string>
}

const CONSENSUS_BUFFER = 1000

/** A validating peer of v0.6 as docs/spec tells of it: strict where it is strict, odd where it is odd. A panic ends it. */
export class Original {
  readonly ledger: OriginalLedger
  readonly engine: BatchEngine | undefined
  readonly transfer: Transfer
  readonly counts: Record<string, number> = {}
  readonly disk: OriginalDisk
  readonly endpoint: PeerEndpoint
  panic: string | undefined
  valid = true
  isOver = false
  private readonly registry = new Map<string, Chat>()
  private readonly chats = new Set<Chat>()
  private readonly world: Surroundings
  private readonly effects: (() => Promise<void>)[] = []
  private isExecuting = false
  private batch: OriginalBatch | undefined
  private skipInProgress = false
  private readonly inbound = new Map<Chat, Uint8Array[]>()
  private pumping = false
  private overflow = 0

  constructor(
    private readonly options: OriginalOptions,
    world: Surroundings,
    disk?: OriginalDisk,
  ) {
    this.world = { ...world, log: (text) => world.log(`${options.name}: ${text}`), after: (ms, task) => world.after(ms, () => this.isOver || task()) }
    this.disk = disk ?? { ledger: new OriginalLedger(options.shape, () => world.time()), records: new Map(), addresses: new Set() }
    this.ledger = this.disk.ledger
    const type = options.type ?? PeerEndpoint_Type.VALIDATOR
    this.endpoint = { ID: { name: options.name }, address: options.address, type, pkiID: new Uint8Array(0) }
    this.transfer = new Transfer({
      ledger: this.ledger,
      world: this.world,
      maxDeltas: options.maxDeltas ?? 200,
      blocksChannel: options.blocksChannel ?? 10,
      deltasChannel: options.deltasChannel ?? 20,
      chats: (names) =>
        names === undefined
          ? [...this.registry.values()].filter(({ remote }) => remote?.type === PeerEndpoint_Type.VALIDATOR)
          : names.flatMap((name) => this.registry.get(name) ?? []),
      isOver: () => this.isOver,
    })
    const id = Number(/^vp(\d+)$/.exec(options.name)?.[1] ?? 0)
    if (type === PeerEndpoint_Type.VALIDATOR) {
      this.engine = new BatchEngine(
        { ...options, id },
        {
          send: (payload, to) => this.consensusSend(payload, to === 'all' ? Array.from({ length: options.N }, (_, n) => n).filter((n) => n !== id) : [to]),
          execute: (tag, transactions) => this.do(() => this.execute(tag, transactions)),
          commit: (metadata) => this.do(() => this.commit(metadata)),
          updateState: (n, blob, peers) => this.do(() => this.updateState(n, blob, peers)),
          blob: () => this.ledger.blob(),
          headMetadata: () => this.ledger.headMetadata(),
          setValid: (valid) => {
            this.valid = valid
          },
        },
        this.disk.records,
        this.world,
        (reason) => this.die(reason),
      )
    }
  }

  start(): void {
    const first = [...this.options.rootNodes, ...this.disk.addresses]
    for (const address of first) void this.dial(address)
    const touch = (): void =>
      void this.world.after(this.options.touchMs ?? 6000, () => {
        const connected = new Set([...this.registry.values()].map(({ remote }) => remote?.address))
        if (this.registry.size < this.disk.addresses.size) for (const address of this.disk.addresses) if (!connected.has(address)) void this.dial(address)
        touch()
      })
    touch()
  }

  /** `kill -9`. */
  kill(): void {
    this.isOver = true
    this.engine?.halt()
    for (const chat of this.chats) chat.end()
  }

  /** A stream that another peer opened. */
  accept(stream: Stream): void {
    this.chat(stream, false)
  }

  names(): string[] {
    return [...this.registry.keys()].sort()
  }

  chatWith(name: string): Chat | undefined {
    return this.registry.get(name)
  }

  /** What `ProcessTransaction` does with a transaction that is no query. */
  submit(bytes: Uint8Array): Response_StatusCode {
    this.engine?.push({ is: 'transaction', payload: bytes })
    return Response_StatusCode.SUCCESS
  }

  private die(reason: unknown): void {
    this.panic = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
    if (!(reason instanceof Panic)) this.panic = `defect of the emulator: ${this.panic}`
    this.world.log(`PANIC ${this.panic}`)
    this.kill()
  }

  private async dial(address: string): Promise<void> {
    if (address === this.options.address || this.isOver) return
    try {
      const stream = await this.options.dial(address)
      if (this.isOver) stream.end()
      else this.chat(stream, true)
    } catch {
      this.world.log(`${address} cannot be reached`)
    }
  }

  private chat(stream: Stream, isInitiator: boolean): void {
    const { ledger, endpoint, world, counts, options } = this
    const guarded: Stream = {
      write: (message) => stream.write(message),
      end: () => stream.end(),
      listen: ({ message, closed }) =>
        stream.listen({
          message: (bytes) => {
            try {
              message(bytes)
            } catch (error) {
              this.die(error)
            }
          },
          closed,
        }),
    }
    const chat: Chat = new Chat(guarded, isInitiator, {
      world,
      ledger,
      endpoint,
      counts,
      periodMs: options.discoveryMs ?? 5000,
      channels: { blocks: options.blocksChannel ?? 10, deltas: options.deltasChannel ?? 20, snapshot: 50 },
      isValidator: this.engine !== undefined,
      register: (which) => {
        if (this.registry.has(which.name)) return false
        this.registry.set(which.name, which)
        this.world.log(`connected to ${which.name}`)
        return true
      },
      deregister: (which) => {
        this.registry.delete(which.name)
        this.chats.delete(which)
        this.world.log(`disconnected from ${which.name}`)
      },
      known: (address) => void this.disk.addresses.add(address),
      endpoints: () => [...this.registry.values()].flatMap(({ remote }) => remote ?? []),
      found: (peers) => {
        for (const { ID, address } of peers)
          if (ID && ID.name !== options.name && !this.registry.has(ID.name) && address !== options.address) void this.dial(address)
      },
      consensus: (which, payload) => this.received(which, payload),
    })
    this.chats.add(chat)
  }

  /** §3.2, §3.3: a bounded queue a stream, one pump. */
  private received(chat: Chat, payload: Uint8Array): void {
    const queue = this.inbound.get(chat) ?? []
    this.inbound.set(chat, queue)
    if (queue.length >= CONSENSUS_BUFFER) {
      this.counts['consensus overflow'] = ++this.overflow
      return
    }
    queue.push(payload)
    if (!this.pumping) this.pump()
  }

  private pump(): void {
    this.pumping = true
    const next = (): void => {
      for (const [chat, queue] of [...this.inbound].sort(() => this.world.random() - 0.5)) {
        const payload = queue.shift()
        if (payload === undefined) {
          this.inbound.delete(chat)
          continue
        }
        this.engine?.push({ is: 'consensus', from: chat.name, payload })
        this.world.after(0.02, next)
        return
      }
      this.pumping = false
    }
    next()
  }

  // --- the broadcaster (§3.7): a broadcast blocks the loop until enough of its sends are through, which here they are at once

  private consensusSend(payload: Uint8Array, to: readonly number[]): void {
    for (const n of to) if (n >= 0 && n < this.options.N && `vp${n}` !== this.options.name) this.registry.get(`vp${n}`)?.send(T.CONSENSUS, payload)
  }

  // --- the executor (spec/consensus.md §2.5)

  private do(effect: () => Promise<void>): void {
    this.effects.push(effect)
    if (!this.isExecuting) void this.carryOut()
  }

  private async carryOut(): Promise<void> {
    this.isExecuting = true
    try {
      for (let effect = this.effects.shift(); effect && !this.isOver; effect = this.effects.shift()) await effect()
    } catch (error) {
      this.die(error)
    } finally {
      this.isExecuting = false
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.world.after(ms, resolve))
  }

  private async execute(tag: Uint8Array, transactions: readonly Uint8Array[]): Promise<void> {
    if (this.skipInProgress) return
    this.batch ??= new OriginalBatch(this.ledger)
    await this.pause(this.options.executionMs ?? 1)
    for (const bytes of transactions) this.batch.execute(bytes)
    this.engine?.push({ is: 'executed', tag })
  }

  private async commit(metadata: Uint8Array): Promise<void> {
    if (this.skipInProgress || !this.batch) return
    await this.pause(0.5)
    const { succeeded, events, changes } = this.batch
    this.ledger.commit(succeeded, events, metadata, changes)
    this.batch = undefined
    this.engine?.push({ is: 'committed' })
  }

  private async updateState(n: number, blob: Uint8Array, peers: readonly string[]): Promise<void> {
    this.batch = undefined
    this.skipInProgress = true
    const info = decode(BlockchainInfo, blob)
    let names: readonly string[] | undefined = peers
    const isOwnHead = Buffer.compare(blob, this.ledger.blob()) === 0
    for (;;) {
      const failure = await this.transfer.syncTo(Number(info.height) - 1, info.currentBlockHash, names)
      if (this.isOver) return
      if (!failure) break
      this.world.log(`state transfer to ${info.height}: ${failure.error}`)
      if (!failure.recoverable) {
        this.engine?.push({ is: 'stateUpdated', n, id: blob, success: false })
        return
      }
      names = undefined
      await this.pause(10)
    }
    this.skipInProgress = false
    if (!isOwnHead) this.world.log(`state transfer has reached ${info.height}`)
    this.engine?.push({ is: 'stateUpdated', n, id: blob, success: true })
  }
}
