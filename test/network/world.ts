import type { Logger, LogFacts } from '../../kernel/index.js'
import type { ChatHandlers, ChatStream } from '../../plugins/network/chat-stream.js'
import { AddressBook } from '../../plugins/network/address-book.js'
import { Greeter } from '../../plugins/network/greeter.js'
import { PeerNetwork } from '../../plugins/network/network.js'
import { decode, Message, PeerEndpoint_Type } from '../../proto/index.js'
import { createRandom } from '../kit/random.js'
import { createVirtualClock, VirtualTime } from '../kit/virtual-clock.js'
import { FakeStore } from '../ledger/fake-store.js'

const LATENCY_MS = 1
const NO_BYTES = new Uint8Array(0)

/** One end of a stream in memory. */
export class StreamEnd implements ChatStream {
  other: StreamEnd | undefined
  /** Every frame that was written. */
  readonly written: Uint8Array[] = []
  endedWith: string | undefined
  private handlers: ChatHandlers | undefined
  private waiting: Uint8Array[] = []
  private isPaused = false
  private isOver = false

  constructor(
    private readonly time: VirtualTime,
    readonly remote: string,
  ) {}

  listen(handlers: ChatHandlers): void {
    this.handlers = handlers
  }

  write(frame: Uint8Array): boolean {
    if (this.isOver) return false
    this.written.push(frame)
    this.other?.arrive(frame)
    return !(this.other?.isPaused ?? false)
  }

  /** After a time. */
  later(ms: number, work: () => void): void {
    this.time.schedule(ms, work)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    const { waiting } = this
    this.waiting = []
    for (const frame of waiting) this.handlers?.message(decode(Message, frame))
    this.time.schedule(LATENCY_MS, () => this.other?.drained())
  }

  end(reason: string | undefined): void {
    this.endedWith = reason
    this.cut(reason ?? 'ended')
  }

  /** Both ends close. */
  cut(reason: string): void {
    this.over(reason)
    this.time.schedule(LATENCY_MS, () => this.other?.over(reason))
  }

  private arrive(frame: Uint8Array): void {
    this.time.schedule(LATENCY_MS, () => {
      if (this.isOver) return
      if (this.isPaused) this.waiting.push(frame)
      else this.handlers?.message(decode(Message, frame))
    })
  }

  private drained(): void {
    if (!this.isOver) this.handlers?.drain()
  }

  private over(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    this.handlers?.closed(reason)
  }
}

export interface WorldPeerOptions {
  readonly rootNodes?: readonly string[]
  readonly members?: readonly string[]
  readonly type?: PeerEndpoint_Type
  readonly store?: FakeStore
  readonly session?: string
  readonly maxLinks?: number
  readonly timesConsensus?: boolean
}

export interface WorldPeer {
  readonly id: string
  readonly address: string
  readonly network: PeerNetwork
  readonly store: FakeStore
  readonly log: string[]
}

/** Networks of peers in one process, in virtual time. */
export class World {
  readonly time = new VirtualTime()
  readonly clock = createVirtualClock(this.time)
  readonly random
  readonly dialled: string[] = []
  /** Every stream, the dialler's end of it. */
  readonly streams: StreamEnd[] = []
  private readonly listening = new Map<string, { accept(stream: StreamEnd): void }>()

  constructor(seed = 1) {
    this.random = createRandom(seed)
  }

  peer(id: string, options: WorldPeerOptions = {}): WorldPeer {
    const address = `${id}:7051`
    const log: string[] = []
    const store = options.store ?? new FakeStore()
    const self = { ID: { name: id }, address, type: options.type ?? PeerEndpoint_Type.VALIDATOR, pkiID: NO_BYTES }
    const network = new PeerNetwork({
      self,
      members: options.members ?? ['vp0', 'vp1', 'vp2', 'vp3'],
      clock: this.clock,
      log: recordingLogger(log),
      defer: (task) => void this.time.schedule(0, task),
      random: () => this.random.next(),
      book: new AddressBook(store, true, (reason) => void log.push(String(reason))),
      greeter: new Greeter({
        self,
        session: options.session ?? Buffer.from(id).toString('hex'),
        info: () => ({ height: 0n, currentBlockHash: NO_BYTES, previousBlockHash: NO_BYTES }),
        clock: this.clock,
      }),
      rootNodes: options.rootNodes ?? [],
      periodMs: 5000,
      touchPeriodMs: 6000,
      maxDials: 100,
      maxLinks: options.maxLinks ?? 256,
      timesConsensus: options.timesConsensus ?? false,
      open: async (to) => {
        this.dialled.push(`${id}>${to}`)
        const listener = this.listening.get(to)
        if (listener === undefined) throw new Error(`${to} refuses connections`)
        const [mine, theirs] = this.pair(to, address)
        listener.accept(theirs)
        return mine
      },
    })
    this.listening.set(address, network)
    return { id, address, network, store, log }
  }

  /** Somebody that a test speaks for listens at an address; what it accepts comes here. */
  listen(address: string): StreamEnd[] {
    const accepted: StreamEnd[] = []
    this.listening.set(address, {
      accept(stream) {
        stream.listen({ message: () => undefined, drain: () => undefined, closed: () => undefined })
        accepted.push(stream)
      },
    })
    return accepted
  }

  /** A stream that a test speaks on by itself: what it received, decoded. */
  script(to: Pick<WorldPeer, 'address' | 'network'>): { readonly end: StreamEnd; readonly received: Message[]; readonly closed: string[] } {
    const [mine, theirs] = this.pair(to.address, 'script')
    const received: Message[] = []
    const closed: string[] = []
    mine.listen({ message: (message) => void received.push(message), drain: () => undefined, closed: (reason) => void closed.push(reason) })
    to.network.accept(theirs)
    return { end: mine, received, closed }
  }

  /** Nobody listens at this address any more. */
  silence(peer: WorldPeer): void {
    this.listening.delete(peer.address)
  }

  /** Lets virtual time pass. */
  async run(ms: number): Promise<void> {
    const endMs = this.time.nowMs + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.time.nextMs()
      if (next === undefined || next > endMs) break
      this.time.step()
    }
    this.time.advanceTo(endMs)
  }

  private pair(to: string, from: string): readonly [StreamEnd, StreamEnd] {
    const mine = new StreamEnd(this.time, to)
    const theirs = new StreamEnd(this.time, from)
    mine.other = theirs
    theirs.other = mine
    this.streams.push(mine)
    return [mine, theirs]
  }
}

/** The ids that a peer is connected to, sorted. */
export function connectedIds({ network }: WorldPeer): string[] {
  return network
    .peers()
    .map(({ ID }) => ID?.name ?? '')
    .sort()
}

export function recordingLogger(lines: string[]): Logger {
  const at =
    (level: string) =>
    (message: string, facts: LogFacts = {}): void =>
      void lines.push(
        `${level} ${message} ${Object.entries(facts)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(' ')}`,
      )
  const log: Logger = {
    module: 'network',
    critical: at('critical'),
    error: at('error'),
    warning: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: at('debug'),
    isEnabled: () => true,
    in: () => log,
  }
  return log
}
