import { type Clock, messageOf } from '../../kernel/index.js'
import { decode, Message, Message_Type } from '../../proto/index.js'
import type { ChatStream } from './chat-stream.js'
import type { Hello } from './hello.js'
import { encodeMessage, PACKED } from './messages.js'
import { type Lane, Outbound } from './outbound.js'
import { nextFrame, unpack } from './packing.js'

/** A frame of this peer's release is at most half of it. */
const MAX_PACKED_BYTES = 512 * 1024

/** What a link tells the network. */
export interface LinkHost {
  readonly clock: Clock
  /** Runs a task after what the present turn of the event loop brings. */
  readonly defer: (task: () => void) => void
  /** Every message, unpacked, in any state. Must not throw. */
  received(link: Link, message: Message): void
  /** Dropped; the stream stays open, as in v0.6. */
  rejected(link: Link, why: string): void
  /** The neighbour does not take consensus messages: those that waited are lost; or it takes them again. */
  lagging(link: Link, isLagging: boolean): void
  closed(link: Link, reason: string): void
}

/** What a link has carried. Bytes are those of messages, without framing. */
export interface LinkCounters {
  sentMessages: number
  sentFrames: number
  sentBytes: number
  receivedMessages: number
  receivedBytes: number
  lostMessages: number
}

/**
 * One stream to one neighbour: `created` until the HELLO of the other end was accepted, then `established` (spec/wire.md §11.1).
 * Messages of one turn leave together; a neighbour that declares it gets them packed.
 */
export class Link {
  readonly counters: LinkCounters = { sentMessages: 0, sentFrames: 0, sentBytes: 0, receivedMessages: 0, receivedBytes: 0, lostMessages: 0 }
  readonly openedMs: number
  /** Of the last message of the other end. */
  heardMs: number
  isLagging = false
  private accepted: Hello | undefined
  private readonly out = new Outbound()
  private isBlocked = false
  private isScheduled = false
  private isOver = false
  private roomWaiters: (() => void)[] = []

  /** `dialled`: the address that this peer dialled; undefined: the other end did. */
  constructor(
    private readonly stream: ChatStream,
    readonly dialled: string | undefined,
    private readonly host: LinkHost,
  ) {
    this.openedMs = host.clock.elapsedMs()
    this.heardMs = this.openedMs
    stream.listen({
      message: (message) => this.receive(message),
      drain: () => {
        this.isBlocked = false
        this.pump()
      },
      closed: (reason) => this.over(reason),
    })
  }

  /** Of the other end; undefined while the link is `created`. */
  get hello(): Hello | undefined {
    return this.accepted
  }

  get remote(): string {
    return this.stream.remote
  }

  get isClosed(): boolean {
    return this.isOver
  }

  get packs(): boolean {
    return this.accepted?.weft?.capabilities.has(PACKED) ?? false
  }

  get waiting(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.out.messages, bytes: this.out.bytes }
  }

  establish(hello: Hello): void {
    this.accepted = hello
  }

  /** Writes this peer's HELLO: at once and alone, since the other end takes nothing else before it, packed messages neither. */
  greet(hello: Uint8Array): void {
    if (this.isOver) return
    this.isBlocked = !this.stream.write(hello)
    this.counters.sentMessages++
    this.counters.sentFrames++
    this.counters.sentBytes += hello.length
  }

  /** False: the lane is full and the message is not sent. */
  send(lane: Exclude<Lane, 'consensus'>, type: Message_Type, payload?: Uint8Array): boolean {
    return this.sendEncoded(lane, encodeMessage(type, payload))
  }

  /** As `send`, for a message that was encoded before: the same bytes may go to many neighbours. */
  sendEncoded(lane: Exclude<Lane, 'consensus'>, message: Uint8Array): boolean {
    if (this.isOver || !this.out.push(lane, message)) return false
    this.schedule()
    return true
  }

  /** A neighbour that does not take its messages loses all that wait, and what comes until its stream takes some again. */
  sendConsensus(message: Uint8Array): void {
    if (this.isOver) return
    if (this.isLagging) {
      this.counters.lostMessages++
      return
    }
    // Very much in one turn is not the neighbour's fault: it has not been offered anything yet.
    if (!this.out.hasRoom('consensus', message.length)) this.pump()
    if (this.out.push('consensus', message)) {
      this.schedule()
    } else {
      this.counters.lostMessages += this.out.drop('consensus') + 1
      this.isLagging = true
      this.host.lagging(this, true)
    }
  }

  /** Whether the lane for blocks and state takes one more message. */
  hasSyncRoom(bytes = 0): boolean {
    return !this.isOver && this.out.hasRoom('sync', bytes)
  }

  /** Resolves with true when the lane for blocks and state has room, with false when the link is closed or nothing has moved for so long. */
  syncRoom(timeoutMs: number, bytes = 0): Promise<boolean> {
    if (this.isOver) return Promise.resolve(false)
    if (this.hasSyncRoom(bytes)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const cancel = this.host.clock.setTimer(timeoutMs, () => resolve(false))
      this.roomWaiters.push(() => {
        cancel()
        resolve(!this.isOver)
      })
    })
  }

  /** Slows the neighbour down: nothing of it is read, consensus messages neither, until `resume`. */
  pause(): void {
    this.stream.pause()
  }

  resume(): void {
    this.stream.resume()
  }

  /** Writes what waits, then ends the stream; `reason` is for the other end. */
  close(reason: string, tellOther = true): void {
    if (this.isOver) return
    if (!this.isBlocked) this.pump()
    this.stream.end(tellOther ? reason : undefined)
    this.over(reason)
  }

  private receive(message: Message): void {
    // What was under way as this side ended the link: the other end hears of the end, and says again on another link what has to be heard.
    if (this.isOver) return
    this.heardMs = this.host.clock.elapsedMs()
    if (message.type !== Message_Type.WEFT_PACKED) return this.hand(message)
    if (!this.packs) return this.host.rejected(this, 'packed messages from a neighbour that does not declare them')
    if (message.payload.length > MAX_PACKED_BYTES) return this.host.rejected(this, 'a packed message that is too long')
    try {
      for (const bytes of unpack(message.payload)) {
        const inner = decode(Message, bytes)
        if (inner.type === Message_Type.WEFT_PACKED) this.host.rejected(this, 'a packed message in a packed message')
        else this.hand(inner)
        if (this.isOver) return
      }
    } catch (error) {
      this.host.rejected(this, messageOf(error))
    }
  }

  private hand(message: Message): void {
    this.counters.receivedMessages++
    this.counters.receivedBytes += message.payload.length
    this.host.received(this, message)
  }

  private schedule(): void {
    if (this.isScheduled || this.isBlocked) return
    this.isScheduled = true
    this.host.defer(() => {
      this.isScheduled = false
      if (!this.isOver) this.pump()
    })
  }

  private pump(): void {
    const { out, counters } = this
    while (!this.isBlocked) {
      const bytesBefore = out.bytes
      const next = this.packs ? nextFrame(out.shift, out.peek) : single(out.shift())
      if (next === undefined) break
      this.isBlocked = !this.stream.write(next.frame)
      counters.sentFrames++
      counters.sentMessages += next.messages
      counters.sentBytes += bytesBefore - out.bytes
    }
    if (out.hasRoom('sync')) this.wakeRoomWaiters()
    if (this.isLagging && !this.isBlocked) {
      this.isLagging = false
      this.host.lagging(this, false)
    }
  }

  private wakeRoomWaiters(): void {
    const waiters = this.roomWaiters
    this.roomWaiters = []
    for (const wake of waiters) wake()
  }

  private over(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    for (const lane of ['control', 'consensus', 'sync'] as const) this.out.drop(lane)
    this.wakeRoomWaiters()
    this.host.closed(this, reason)
  }
}

function single(frame: Uint8Array | undefined): { readonly frame: Uint8Array; readonly messages: number } | undefined {
  return frame && { frame, messages: 1 }
}
