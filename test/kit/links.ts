import type { ConsensusTransport, MemberIndex } from '../../plugins/consensus/index.js'
import { type Endpoint, LinkTable, type Pair } from './link-table.js'
import type { Random } from './random.js'
import type { TraceSink } from './trace.js'
import { Happening, type VirtualTime } from './virtual-clock.js'

/** How long messages travel and how often a link breaks, in virtual milliseconds. */
export interface LinkOptions {
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Mean time between breaks of one link; 0: never by itself. */
  readonly meanUpMs?: number
  /** Mean duration of a break. */
  readonly meanDownMs?: number
  /** Messages wait until they are released, one by one. Default false. */
  readonly held?: boolean
}

/** A message that has been sent and has not arrived. */
export interface HeldMessage extends Envelope {
  /** Grows in the order of sending. */
  readonly id: number
}

/** A message on its way. */
class Delivery extends Happening {
  /** Of the link when it left: what was sent before a break is lost with it. */
  private readonly generation: number

  constructor(
    readonly id: number,
    readonly from: Endpoint,
    readonly to: Endpoint,
    readonly bytes: Uint8Array,
    private readonly pair: Pair,
    private readonly port: Port | undefined,
    private readonly arrive: (delivery: Delivery, port: Port) => void,
  ) {
    super()
    this.generation = pair.generation
  }

  get isLost(): boolean {
    return this.pair.generation !== this.generation || this.port?.attached !== true
  }

  happen(): void {
    if (!this.isLost && this.port) this.arrive(this, this.port)
  }
}

interface Held {
  readonly message: HeldMessage
  readonly delivery: Delivery
}

/** What one incarnation of a member sees. After `detach` nothing goes in or out. */
export interface Attachment {
  readonly transport: ConsensusTransport
  /** Links to whoever is reachable begin to come up. */
  attach(): void
  detach(): void
}

/** A message as it leaves. */
export interface Envelope {
  readonly from: MemberIndex
  readonly to: MemberIndex
  readonly bytes: Uint8Array
}

/** What becomes of a message: `to` whom, with which bytes, and how much later than it would arrive (later ones may overtake it). */
export interface Forwarded {
  readonly to: MemberIndex
  readonly bytes: Uint8Array
  readonly afterMs?: number
}

/** Stands between one member and the network and sees everything it sends and receives: engine messages and the host's own. Returns what leaves instead. */
export interface Interceptor {
  sends(envelope: Envelope): readonly Forwarded[]
  receives?(envelope: Envelope): void
}

/** Trouble on links while it lasts. `extraMs` is inside the contract of `EngineHost`; losing, doubling and overtaking silently are outside of it. */
export interface Disturbance {
  /** Default: of everybody. */
  readonly from?: MemberIndex
  readonly to?: MemberIndex
  /** Added to every delay. */
  readonly extraMs?: number
  /** Probabilities in [0, 1]. */
  readonly loss?: number
  readonly duplicate?: number
  readonly reorder?: number
}

type Handlers = Parameters<ConsensusTransport['receive']>[0]

interface Port {
  handlers: Handlers | undefined
  attached: boolean
}

const OVERTAKEN_MS = 60

/**
 * Links between all members: first in, first out per sender, delayed at random, lossless while up. A break loses everything in flight and is told
 * to both ends, as is the recovery (the engine contract: links lose messages only across `onPeer`). Disturbances and interceptors go beyond that.
 */
export class Links {
  readonly #ports: Port[]
  readonly #table: LinkTable
  readonly #disturbances = new Set<Disturbance>()
  readonly #interceptors = new Map<Endpoint, Interceptor>()
  /** Told when the link between two members breaks or is there again. */
  onChange: ((a: MemberIndex, b: MemberIndex) => void) | undefined
  /** Told when links may break their promises from now on: what `disturb` loses, doubles or has overtaken, and what an interceptor does. */
  onUnfaithful: (() => void) | undefined
  #breaking = true
  #held: Held[] = []
  #sent = 0
  readonly #arrive = ({ id, from, to, bytes }: Delivery, { handlers }: Port): void => {
    this.trace?.add({ type: 'received', id, from, to, bytes })
    const sender = this.#table.memberOf(from)
    if (this.#interceptors.size > 0) this.#interceptors.get(to)?.receives?.({ from: sender, to: this.#table.memberOf(to), bytes })
    handlers?.message(sender, bytes)
  }

  /** `twins`: members that run twice. */
  constructor(
    members: number,
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly options: LinkOptions,
    private readonly trace?: TraceSink,
    twins: readonly MemberIndex[] = [],
  ) {
    this.#table = new LinkTable(members, twins)
    this.#ports = Array.from({ length: this.#table.endpoints }, () => ({ handlers: undefined, attached: false }))
    if ((options.meanUpMs ?? 0) > 0) this.#table.forEachPair((a, b) => this.#scheduleBreak(a, b))
  }

  /** A fresh connection of an endpoint to the others, for one incarnation. */
  connect(self: Endpoint): Attachment {
    const port: Port = { handlers: undefined, attached: false }
    this.#ports[self] = port
    return {
      transport: {
        send: (to, bytes) => {
          if (port.attached && to !== self) this.#leave(self, to, bytes)
        },
        receive: (handlers) => {
          port.handlers = handlers
        },
      },
      attach: () => {
        port.attached = true
        this.#refreshAll(self)
      },
      detach: () => {
        port.attached = false
        this.#refreshAll(self)
      },
    }
  }

  /** Members in different groups cannot reach each other; a member in no group is alone. */
  partition(groups: readonly (readonly MemberIndex[])[]): void {
    const groupOf = (endpoint: Endpoint): number => groups.findIndex((group) => group.includes(this.#table.memberOf(endpoint)))
    this.#table.forEachPair((a, b, pair) => {
      pair.partitioned = groupOf(a) !== groupOf(b) || groupOf(a) === -1
      this.#refresh(a, b)
    })
  }

  /** Ends partitions only. */
  unite(): void {
    this.#table.forEachPair((a, b, pair) => {
      pair.partitioned = false
      this.#refresh(a, b)
    })
  }

  /** Ends partitions and, for good, the random breaks. */
  heal(): void {
    this.#breaking = false
    this.#table.forEachPair((a, b, pair) => {
      pair.partitioned = false
      pair.broken = 0
      this.#refresh(a, b)
    })
  }

  /** Breaks the links between two members; the returned function mends what it broke. */
  break(a: MemberIndex, b: MemberIndex): () => void {
    const ends: (() => void)[] = []
    this.#table.forEachPair((left, right, pair) => {
      const members = [this.#table.memberOf(left), this.#table.memberOf(right)]
      if (members.includes(a) && members.includes(b) && a !== b) ends.push(this.#breakPair(left, right, pair))
    })
    return () => ends.forEach((mend) => mend())
  }

  /** Whether an endpoint reaches a member now. */
  isUp(from: Endpoint, to: MemberIndex): boolean {
    return this.#table.pair(from, this.#table.route(from, to))?.up === true
  }

  /** Begins a disturbance; the returned function ends it. */
  disturb(disturbance: Disturbance): () => void {
    const active = { ...disturbance }
    if (active.loss !== undefined || active.duplicate !== undefined || active.reorder !== undefined) this.onUnfaithful?.()
    this.#disturbances.add(active)
    return () => this.#disturbances.delete(active)
  }

  /** Puts an interceptor before an endpoint, in the place of the one that was there. */
  intercept(endpoint: Endpoint, interceptor: Interceptor | undefined): void {
    if (interceptor) this.onUnfaithful?.()
    if (interceptor) this.#interceptors.set(endpoint, interceptor)
    else this.#interceptors.delete(endpoint)
  }

  /** From now on `member` reaches the first or the second instance of `twin`: its link breaks and comes up again. */
  turn(member: MemberIndex, twin: MemberIndex, toSecond: boolean): void {
    this.#table.turn(member, twin, toSecond)
    this.#refreshAll(member)
  }

  /** With `held` links: what is on its way, in the order of sending. What a break has lost is not. */
  held(): readonly HeldMessage[] {
    this.#held = this.#held.filter(({ delivery }) => !delivery.isLost)
    return this.#held.map(({ message }) => message)
  }

  /** A held message arrives in the next virtual event. Throws a RangeError if it is not on its way, or an earlier one of the same link is. */
  release(id: number): void {
    const waiting = this.held()
    const wanted = waiting.find((message) => message.id === id)
    if (!wanted) throw new RangeError(`expected a message that is on its way (${waiting.map((message) => message.id).join(', ') || 'none is'}), found ${id}`)
    const first = waiting.find(({ from, to }) => from === wanted.from && to === wanted.to)
    if (first && first.id !== id) throw new RangeError(`messages of vp${wanted.from} reach vp${wanted.to} in order: expected ${first.id} first, found ${id}`)
    const held = this.#held.find(({ message }) => message.id === id)
    this.#held = this.#held.filter((other) => other !== held)
    if (held) this.time.add(0, held.delivery)
  }

  #breakPair(a: Endpoint, b: Endpoint, pair: Pair): () => void {
    pair.broken += 1
    this.#refresh(a, b)
    return () => {
      pair.broken = Math.max(0, pair.broken - 1)
      this.#refresh(a, b)
    }
  }

  #refreshAll(self: Endpoint): void {
    for (let other = 0; other < this.#ports.length; other += 1) if (other !== self) this.#refresh(self, other)
  }

  #refresh(a: Endpoint, b: Endpoint): void {
    const pair = this.#table.pair(a, b)
    if (pair === undefined) return
    const isPossible = !pair.partitioned && pair.broken === 0 && this.#table.isRouted(a, b)
    const shouldBeUp = isPossible && this.#ports[a]?.attached === true && this.#ports[b]?.attached === true
    if (pair.up === shouldBeUp) return
    pair.up = shouldBeUp
    pair.generation += 1
    pair.busyUntilMs.fill(this.time.nowMs)
    this.trace?.add({ type: 'link', a, b, up: shouldBeUp })
    this.onChange?.(this.#table.memberOf(a), this.#table.memberOf(b))
    this.#tell(a, b, pair, shouldBeUp)
    this.#tell(b, a, pair, shouldBeUp)
  }

  /** A break is noticed at once, a connection after one delay, in line with the messages that follow it. */
  #tell(self: Endpoint, other: Endpoint, pair: Pair, up: boolean): void {
    const port = this.#ports[self]
    const { generation } = pair
    const atMs = up ? this.#arrivalMs(pair, other, self, 0) : this.time.nowMs
    this.time.scheduleAt(atMs, () => {
      if (port?.attached === true && (!up || pair.generation === generation)) port.handlers?.peer(this.#table.memberOf(other), up)
    })
  }

  #leave(from: Endpoint, to: MemberIndex, bytes: Uint8Array): void {
    const interceptor = this.#interceptors.size === 0 ? undefined : this.#interceptors.get(from)
    if (interceptor === undefined) return this.#disturbed(from, this.#table.route(from, to), bytes)
    const self = this.#table.memberOf(from)
    for (const { to: actual, bytes: changed, afterMs = 0 } of interceptor.sends({ from: self, to, bytes })) {
      if (actual === self) continue
      const target = this.#table.route(from, actual)
      if (afterMs > 0) this.time.schedule(afterMs, () => this.#disturbed(from, target, changed))
      else this.#disturbed(from, target, changed)
    }
  }

  #disturbed(from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    if (this.#disturbances.size === 0) return this.#send(from, to, bytes, 0, false)
    let extraMs = 0
    let copies = 1
    let overtaken = false
    for (const disturbance of this.#disturbances) {
      if ((disturbance.from ?? from) !== from || (disturbance.to ?? to) !== to) continue
      extraMs += disturbance.extraMs ?? 0
      if (disturbance.loss !== undefined && this.random.chance(disturbance.loss)) copies = 0
      if (disturbance.duplicate !== undefined && this.random.chance(disturbance.duplicate)) copies *= 2
      if (disturbance.reorder !== undefined && this.random.chance(disturbance.reorder)) overtaken = true
    }
    for (let copy = 0; copy < copies; copy += 1) this.#send(from, to, bytes, extraMs, overtaken)
  }

  #send(from: Endpoint, to: Endpoint, bytes: Uint8Array, extraMs: number, overtaken: boolean): void {
    const pair = this.#table.pair(from, to)
    if (pair === undefined || !pair.up) return
    const id = (this.#sent += 1)
    this.trace?.add({ type: 'sent', id, from, to, bytes })
    const delivery = new Delivery(id, from, to, bytes, pair, this.#ports[to], this.#arrive)
    if (this.options.held) return void this.#held.push({ message: { id, from: this.#table.memberOf(from), to: this.#table.memberOf(to), bytes }, delivery })
    const atMs = overtaken
      ? this.time.nowMs + this.random.between(this.options.minDelayMs, this.options.maxDelayMs + OVERTAKEN_MS)
      : this.#arrivalMs(pair, from, to, extraMs)
    this.time.add(atMs, delivery)
  }

  /** When a message that leaves now arrives: never before an earlier one of the same sender. */
  #arrivalMs(pair: Pair, from: Endpoint, to: Endpoint, extraMs: number): number {
    const direction = from > to ? 0 : 1
    const travelMs = extraMs + this.random.between(this.options.minDelayMs, this.options.maxDelayMs)
    const atMs = Math.max(this.time.nowMs + travelMs, pair.busyUntilMs[direction])
    pair.busyUntilMs[direction] = atMs
    return atMs
  }

  #scheduleBreak(a: Endpoint, b: Endpoint): void {
    const meanUpMs = this.options.meanUpMs ?? 0
    const meanDownMs = this.options.meanDownMs ?? 100
    this.time.schedule(this.random.between(0, 2 * meanUpMs), () => {
      const pair = this.#table.pair(a, b)
      if (!this.#breaking || pair === undefined) return
      const mend = this.#breakPair(a, b, pair)
      this.time.schedule(this.random.between(0, 2 * meanDownMs), () => {
        if (!this.#breaking) return
        mend()
        this.#scheduleBreak(a, b)
      })
    })
  }
}
