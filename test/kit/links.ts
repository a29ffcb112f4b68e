import type { ConsensusTransport, MemberIndex } from '../../plugins/consensus/index.js'
import type { Random } from './random.js'
import type { VirtualTime } from './virtual-clock.js'

/** How long messages travel and how often a link breaks, in virtual milliseconds. */
export interface LinkOptions {
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Mean time between breaks of one link; 0: never by itself. */
  readonly meanUpMs?: number
  /** Mean duration of a break. */
  readonly meanDownMs?: number
}

/** What one incarnation of a member sees. After `detach` nothing goes in or out. */
export interface Attachment {
  readonly transport: ConsensusTransport
  /** Links to whoever is reachable begin to come up. */
  attach(): void
  detach(): void
}

type Handlers = Parameters<ConsensusTransport['receive']>[0]

interface Port {
  handlers: Handlers | undefined
  attached: boolean
}

interface Pair {
  up: boolean
  /** Counts breaks: what was sent before a break is lost with it. */
  generation: number
  partitioned: boolean
  broken: boolean
  /** The moment until which messages in either direction are on their way (first in, first out per sender). */
  readonly busyUntilMs: [number, number]
}

/**
 * Links between all members: first-in first-out per sender, delayed at random, lossless while up. A break loses everything in flight and is told
 * to both ends, as is the recovery (the engine contract: links lose messages only across `onPeer`).
 */
export class Links {
  readonly #ports: Port[]
  readonly #pairs: Pair[][]
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #options: LinkOptions
  readonly #trace: (line: () => string) => void
  #breaking = true

  constructor(members: number, time: VirtualTime, random: Random, options: LinkOptions, trace: (line: () => string) => void = () => undefined) {
    this.#time = time
    this.#random = random
    this.#options = options
    this.#trace = trace
    this.#ports = Array.from({ length: members }, () => ({ handlers: undefined, attached: false }))
    this.#pairs = Array.from({ length: members }, (_, a) =>
      Array.from({ length: a }, () => ({ up: false, generation: 0, partitioned: false, broken: false, busyUntilMs: [0, 0] })),
    )
    if ((options.meanUpMs ?? 0) > 0) this.#forEachPair((a, b) => this.#scheduleBreak(a, b))
  }

  /** A fresh connection of `self` to the others, for one incarnation. */
  connect(self: MemberIndex): Attachment {
    const port: Port = { handlers: undefined, attached: false }
    this.#ports[self] = port
    return {
      transport: {
        send: (to, bytes) => {
          if (port.attached && to !== self) this.#send(self, to, bytes)
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
    const groupOf = (member: MemberIndex): number => groups.findIndex((group) => group.includes(member))
    this.#trace(() => `partition ${groups.map((group) => group.join(',')).join(' | ')}`)
    this.#forEachPair((a, b, pair) => {
      pair.partitioned = groupOf(a) !== groupOf(b) || groupOf(a) === -1
      this.#refresh(a, b)
    })
  }

  /** Ends partitions and, for good, the random breaks. */
  heal(): void {
    this.#breaking = false
    this.#trace(() => 'heal')
    this.#forEachPair((a, b, pair) => {
      pair.partitioned = false
      pair.broken = false
      this.#refresh(a, b)
    })
  }

  #forEachPair(visit: (a: MemberIndex, b: MemberIndex, pair: Pair) => void): void {
    this.#pairs.forEach((row, a) => row.forEach((pair, b) => visit(a, b, pair)))
  }

  #pair(a: MemberIndex, b: MemberIndex): Pair | undefined {
    return this.#pairs[Math.max(a, b)]?.[Math.min(a, b)]
  }

  #refreshAll(self: MemberIndex): void {
    for (let other = 0; other < this.#ports.length; other += 1) if (other !== self) this.#refresh(self, other)
  }

  #refresh(a: MemberIndex, b: MemberIndex): void {
    const pair = this.#pair(a, b)
    if (pair === undefined) return
    const shouldBeUp = !pair.partitioned && !pair.broken && this.#ports[a]?.attached === true && this.#ports[b]?.attached === true
    if (pair.up === shouldBeUp) return
    pair.up = shouldBeUp
    pair.generation += 1
    pair.busyUntilMs.fill(this.#time.nowMs)
    this.#trace(() => `link ${a}-${b} ${shouldBeUp ? 'up' : 'down'}`)
    const generation = pair.generation
    for (const [self, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const port = this.#ports[self]
      // A break is noticed at once, a connection after one delay, in line with the messages that follow it.
      const delayMs = shouldBeUp ? this.#arrivalMs(pair, other, self) - this.#time.nowMs : 0
      this.#time.schedule(delayMs, () => {
        if (port?.attached === true && (!shouldBeUp || pair.generation === generation)) port.handlers?.peer(other, shouldBeUp)
      })
    }
  }

  #send(from: MemberIndex, to: MemberIndex, bytes: Uint8Array): void {
    const pair = this.#pair(from, to)
    if (pair === undefined || !pair.up) return
    const generation = pair.generation
    const port = this.#ports[to]
    this.#time.schedule(this.#arrivalMs(pair, from, to) - this.#time.nowMs, () => {
      if (pair.generation !== generation || port?.attached !== true) return
      this.#trace(() => `message ${from}>${to} ${bytes.length}`)
      port.handlers?.message(from, bytes)
    })
  }

  /** When a message that leaves now arrives: never before an earlier one of the same sender. */
  #arrivalMs(pair: Pair, from: MemberIndex, to: MemberIndex): number {
    const direction = from > to ? 0 : 1
    const travelMs = this.#random.between(this.#options.minDelayMs, this.#options.maxDelayMs)
    const atMs = Math.max(this.#time.nowMs + travelMs, pair.busyUntilMs[direction])
    pair.busyUntilMs[direction] = atMs
    return atMs
  }

  #scheduleBreak(a: MemberIndex, b: MemberIndex): void {
    const meanUpMs = this.#options.meanUpMs ?? 0
    const meanDownMs = this.#options.meanDownMs ?? 100
    this.#time.schedule(this.#random.between(0, 2 * meanUpMs), () => {
      const pair = this.#pair(a, b)
      if (!this.#breaking || pair === undefined) return
      pair.broken = true
      this.#refresh(a, b)
      this.#time.schedule(this.#random.between(0, 2 * meanDownMs), () => {
        if (!this.#breaking) return
        pair.broken = false
        this.#refresh(a, b)
        this.#scheduleBreak(a, b)
      })
    })
  }
}
