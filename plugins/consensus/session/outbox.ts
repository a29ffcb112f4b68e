import type { MemberIndex, VoteMark } from '../engine/engine.js'
import { Fifo } from '../fifo.js'

/** A message to one member, as it leaves. */
export interface OutboundMessage {
  readonly to: MemberIndex
  readonly bytes: Uint8Array
  readonly vote: VoteMark | undefined
}

interface Waiting {
  readonly message: OutboundMessage
  /** Number of the write that must be durable first. */
  readonly after: number
}

/**
 * Sends in order, each after every write that was begun before it: a vote that was sent is a vote that survives a power cut.
 * Handlers go on meanwhile; a later send never overtakes an earlier one.
 */
export class Outbox {
  private readonly waitingMessages = new Fifo<Waiting>()
  private readonly doneEarly = new Set<number>()
  private begun = 0
  private durable = 0

  /** `transmit` must not throw. `drained` is called whenever waiting messages have left. */
  constructor(
    private readonly transmit: (message: OutboundMessage) => void,
    private readonly drained: () => void,
  ) {}

  /** Messages that wait for the disk. */
  get waiting(): number {
    return this.waitingMessages.length
  }

  /** A write begins. The returned function says that it is durable; if it is never called, nothing sent later ever leaves. */
  beginWrite(): () => void {
    const write = ++this.begun
    return () => this.writeDone(write)
  }

  send(message: OutboundMessage): void {
    if (this.durable === this.begun && this.waitingMessages.length === 0) this.transmit(message)
    else this.waitingMessages.push({ message, after: this.begun })
  }

  /** Drops what waits. */
  clear(): void {
    this.waitingMessages.clear()
  }

  private writeDone(write: number): void {
    if (write === this.durable + 1) this.durable = write
    else this.doneEarly.add(write)
    while (this.doneEarly.size > 0 && this.doneEarly.delete(this.durable + 1)) this.durable++
    let left = 0
    for (let next = this.waitingMessages.first; next && next.after <= this.durable; next = this.waitingMessages.first) {
      this.waitingMessages.shift()
      this.transmit(next.message)
      left++
    }
    if (left > 0) this.drained()
  }
}
