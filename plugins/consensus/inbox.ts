import type { Clock, Logger } from '../../kernel/index.js'
import type { MemberIndex } from './engine.js'
import type { EngineEvent } from './events.js'
import { Fifo } from './fifo.js'

type Inbound = Extract<EngineEvent, { type: 'message' | 'peer' }>

export interface InboxOptions {
  readonly members: number
  readonly self: MemberIndex
  readonly maxPerMember: number
  readonly maxBytesPerMember: number
  readonly clock: Clock
  readonly log: Logger
  readonly defer: (task: () => void) => void
  readonly deliver: (event: Inbound) => void
  /** While true nothing is taken out. */
  readonly isPaused: () => boolean
  /** Told the number of messages dropped since the start. */
  readonly dropped: (total: number) => void
}

/** Messages taken out in one turn, so that a flood leaves room for timers and clients. */
const MESSAGES_PER_TURN = 256
const LOG_PERIOD_MS = 1000

/** What members sent and the engine has not seen: bounded per member, taken out in turns, in order per member. */
export class Inbox {
  private readonly queues: Fifo<Inbound>[]
  private turn: MemberIndex = 0
  private waiting = 0
  private scheduled = false
  private closed = false
  private readonly waitingBytes: number[]
  private dropped = 0
  private droppedSinceLog = 0
  private loggedAtMs = Number.NEGATIVE_INFINITY

  constructor(private readonly options: InboxOptions) {
    this.queues = Array.from({ length: options.members }, () => new Fifo<Inbound>())
    this.waitingBytes = this.queues.map(() => 0)
  }

  /** Messages, and connections that came or went, that wait to be handled. */
  get size(): number {
    return this.waiting
  }

  /** Never blocks: a message beyond the member's bound, or from no other member, is dropped. */
  message(from: MemberIndex, bytes: Uint8Array): void {
    const queue = this.queueOf(from)
    if (!queue) return
    const waitingBytes = (this.waitingBytes[from] ?? 0) + bytes.length
    // One message of any size gets in: its size is the transport's affair.
    if (queue.length >= this.options.maxPerMember || (queue.length > 0 && waitingBytes > this.options.maxBytesPerMember)) return this.drop(from)
    this.waitingBytes[from] = waitingBytes
    queue.push({ type: 'message', from, bytes })
    this.added()
  }

  /** Connections come and go in order with the messages; flapping is folded, so that it cannot fill memory. */
  peer(member: MemberIndex, up: boolean): void {
    const queue = this.queueOf(member)
    if (!queue) return
    const before = queue.last(1)
    if (queue.last()?.type === 'peer' && before?.type === 'peer' && before.up === up) {
      queue.pop()
      this.waiting--
      return
    }
    queue.push({ type: 'peer', member, up })
    this.added()
  }

  /** Goes on after a pause. */
  resume(): void {
    if (this.waiting > 0) this.schedule()
  }

  close(): void {
    this.closed = true
    this.clear()
  }

  /** Takes messages again, after `close`. */
  open(): void {
    this.closed = false
  }

  private clear(): void {
    for (const queue of this.queues) queue.clear()
    this.waitingBytes.fill(0)
    this.waiting = 0
  }

  private queueOf(member: MemberIndex): Fifo<Inbound> | undefined {
    return this.closed || member === this.options.self ? undefined : this.queues[member]
  }

  private added(): void {
    this.waiting++
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.options.defer(() => {
      this.scheduled = false
      this.takeOut()
    })
  }

  private takeOut(): void {
    for (let taken = 0; taken < MESSAGES_PER_TURN && this.waiting > 0; ) {
      if (this.options.isPaused()) return
      const member = this.turn
      const event = this.queues[member]?.shift()
      this.turn = (member + 1) % this.queues.length
      if (!event) continue
      if (event.type === 'message') this.waitingBytes[member] = (this.waitingBytes[member] ?? 0) - event.bytes.length
      this.waiting--
      taken++
      this.options.deliver(event)
    }
    if (this.waiting > 0) this.schedule()
  }

  private drop(from: MemberIndex): void {
    this.dropped++
    this.droppedSinceLog++
    this.options.dropped(this.dropped)
    const now = this.options.clock.elapsedMs()
    if (now - this.loggedAtMs < LOG_PERIOD_MS) return
    this.options.log.warning('consensus messages dropped: a member sends faster than the engine can handle', {
      member: from,
      dropped: this.droppedSinceLog,
      bound: this.options.maxPerMember,
    })
    this.loggedAtMs = now
    this.droppedSinceLog = 0
  }
}
