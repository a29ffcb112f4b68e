import type { Clock, Logger } from '../../../kernel/index.js'
import { detached } from '../aids/detached.js'
import type { MemberIndex } from '../engine/engine.js'
import type { EngineEvent } from '../engine/events.js'
import { Fifo } from '../fifo.js'

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

/** What one member sent and the engine has not seen. */
interface Line {
  readonly queue: Fifo<Inbound>
  bytes: number
  /** The connection, as the engine will know it when it has seen everything. */
  isUp: boolean
  /** A message was dropped: until the engine has seen what waits, and that the link broke, all others are. */
  isBroken: boolean
}

/**
 * What members sent and the engine has not seen: bounded per member, taken out in turns, in order per member. A member that sends more is treated as if its link
 * had broken: the engine sees all before the gap, then that the member went and came, then what was sent after that.
 */
export class Inbox {
  private readonly lines: readonly Line[]
  private turn: MemberIndex = 0
  private waiting = 0
  private scheduled = false
  private closed = false
  private dropped = 0
  private droppedSinceLog = 0
  private loggedAtMs = Number.NEGATIVE_INFINITY

  constructor(private readonly options: InboxOptions) {
    this.lines = Array.from({ length: options.members }, () => ({ queue: new Fifo<Inbound>(), bytes: 0, isUp: false, isBroken: false }))
  }

  /** Messages, and connections that came or went, that wait to be handled. */
  get size(): number {
    return this.waiting
  }

  /** Never blocks: a message beyond the member's bound, or from no other member, is dropped. */
  message(from: MemberIndex, bytes: Uint8Array): void {
    const line = this.lineOf(from)
    if (!line) return
    const { queue } = line
    // One message of any size gets in: its size is the transport's affair.
    const isTooMuch = queue.length >= this.options.maxPerMember || (queue.length > 0 && line.bytes + bytes.length > this.options.maxBytesPerMember)
    if (isTooMuch && !line.isBroken && line.isUp) this.add(line, { type: 'peer', member: from, up: false })
    line.isBroken ||= isTooMuch
    if (line.isBroken) return this.drop(from)
    line.bytes += bytes.length
    // It came packed with others, of which not all need be kept.
    this.add(line, { type: 'message', from, bytes: detached(bytes) })
  }

  /** Connections come and go in order with the messages; flapping is folded, so that it cannot fill memory. */
  peer(member: MemberIndex, up: boolean): void {
    const line = this.lineOf(member)
    if (!line) return
    line.isUp = up
    // Told when the engine has caught up.
    if (line.isBroken) return
    const { queue } = line
    const before = queue.last(1)
    if (queue.last()?.type === 'peer' && before?.type === 'peer' && before.up === up) {
      queue.pop()
      this.waiting--
      return
    }
    this.add(line, { type: 'peer', member, up })
  }

  /** Messages that the engine has not seen, which will be told another one; in order for each member. */
  takeUnread(): { readonly from: MemberIndex; readonly bytes: Uint8Array | undefined }[] {
    const unread = this.lines.flatMap(({ queue, isBroken }, from) => {
      const messages: { readonly from: MemberIndex; readonly bytes: Uint8Array | undefined }[] = []
      for (let event = queue.shift(); event; event = queue.shift()) if (event.type === 'message') messages.push({ from, bytes: event.bytes })
      return isBroken ? [...messages, { from, bytes: undefined }] : messages
    })
    this.clear()
    return unread
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
    for (const line of this.lines) {
      line.queue.clear()
      line.bytes = 0
      line.isUp = line.isBroken = false
    }
    this.waiting = 0
  }

  private lineOf(member: MemberIndex): Line | undefined {
    return this.closed || member === this.options.self ? undefined : this.lines[member]
  }

  private add({ queue }: Line, event: Inbound): void {
    queue.push(event)
    this.waiting++
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.options.defer(this.takeTurn)
  }

  private readonly takeTurn = (): void => {
    this.scheduled = false
    this.takeOut()
  }

  private takeOut(): void {
    for (let taken = 0; taken < MESSAGES_PER_TURN && this.waiting > 0; ) {
      if (this.options.isPaused()) return
      const member = this.turn
      const line = this.lines[member]
      const event = line?.queue.shift()
      this.turn = (member + 1) % this.lines.length
      if (!line || !event) continue
      if (event.type === 'message') line.bytes -= event.bytes.length
      this.waiting--
      taken++
      if (line.isBroken && line.queue.length === 0) this.mend(line, member)
      this.options.deliver(event)
    }
    if (this.waiting > 0) this.schedule()
  }

  /** The engine sees that the link broke: what is sent from now on counts again. */
  private mend(line: Line, member: MemberIndex): void {
    line.isBroken = false
    if (line.isUp) this.add(line, { type: 'peer', member, up: true })
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
