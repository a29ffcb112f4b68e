import type { ChatStream } from '../../plugins/network/chat-stream.js'
import { decode, Message } from '../../proto/index.js'
import type { VirtualTime } from '../kit/virtual-clock.js'
import type { Stream } from './original/surroundings.js'

/** How a link behaves, asked for every message. */
export interface Wire {
  delayMs(from: string, to: string): number
  /** Lost together with everything behind it: a stream breaks, it does not drop. */
  isCut(from: string, to: string): boolean
}

interface Handlers {
  readonly message: (bytes: Uint8Array) => void
  readonly closed: (reason: string) => void
  readonly drain: () => void
}

/** One end of a stream in virtual time: in order, with delays, until it is cut. */
export class VirtualStream {
  other: VirtualStream | undefined
  private handlers: Handlers | undefined
  private early: Uint8Array[] = []
  private waiting: Uint8Array[] = []
  private isPaused = false
  private isOver = false
  private lastMs = 0

  constructor(
    private readonly time: VirtualTime,
    private readonly wire: Wire,
    readonly owner: string,
    readonly remote: string,
  ) {}

  write(bytes: Uint8Array): boolean {
    if (this.isOver || this.other === undefined) return false
    if (this.wire.isCut(this.owner, this.remote)) return true
    const { other } = this
    const copy = bytes.slice()
    this.lastMs = Math.max(this.lastMs, this.time.nowMs + this.wire.delayMs(this.owner, this.remote))
    this.time.scheduleAt(this.lastMs, () => other.arrive(copy))
    return !other.isPaused
  }

  /** In good order: what was written before still arrives. */
  end(): void {
    const { other } = this
    const atMs = Math.max(this.lastMs, this.time.nowMs) + 0.5
    this.over('ended')
    this.time.scheduleAt(atMs, () => other?.over('ended by the other end'))
  }

  /** Both ends learn of it at once: a reset connection. */
  reset(): void {
    const { other } = this
    this.over('reset')
    other?.over('reset')
  }

  get isOpen(): boolean {
    return !this.isOver
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    const { waiting } = this
    this.waiting = []
    for (const bytes of waiting) this.arrive(bytes)
    this.time.schedule(1, () => this.other?.handlers?.drain())
  }

  listen(handlers: Handlers): void {
    this.handlers = handlers
    const { early } = this
    this.early = []
    for (const bytes of early) handlers.message(bytes)
  }

  /** As Weft has streams. */
  get ofWeft(): ChatStream {
    return {
      remote: this.remote,
      write: (frame) => this.write(frame),
      pause: () => this.pause(),
      resume: () => this.resume(),
      end: () => this.end(),
      listen: ({ message, drain, closed }) => this.listen({ message: (bytes) => message(decode(Message, bytes)), drain, closed }),
    }
  }

  /** As originals have them. */
  get ofOriginal(): Stream {
    return {
      write: (message) => this.write(message),
      end: () => this.end(),
      listen: ({ message, closed }) => this.listen({ message, closed: () => closed(), drain: () => undefined }),
    }
  }

  private arrive(bytes: Uint8Array): void {
    if (this.isOver) return
    if (!this.handlers) this.early.push(bytes)
    else if (this.isPaused) this.waiting.push(bytes)
    else this.handlers.message(bytes)
  }

  private over(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    this.handlers?.closed(reason)
  }
}
