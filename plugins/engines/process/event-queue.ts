import type { EngineEvent, SeatOptions } from '../../consensus/index.js'

/** Events on their way, above which none is sent; so is their volume. */
const MAX_UNANSWERED = 256
const MAX_UNANSWERED_BYTES = 8 * 1024 * 1024
/** Events that wait to be sent, from which on the engine gets no more messages. */
const CONGESTED_EVENTS = 512
const CONGESTED_BYTES = 16 * 1024 * 1024

interface Sent {
  readonly what: EngineEvent['type'] | 'create'
  readonly bytes: number
}

/** The events of an engine's process: those that wait, and those that it has not answered. */
export class EventQueue {
  private waiting: EngineEvent[] = []
  private waitingFrom = 0
  private waitingBytes = 0
  private sent: Sent[] = []
  private sentBytes = 0

  constructor(
    private readonly seat: Pick<SeatOptions, 'claimTimer'>,
    private readonly claimed: (name: string) => void,
  ) {}

  get isCongested(): boolean {
    return this.waiting.length - this.waitingFrom >= CONGESTED_EVENTS || this.waitingBytes >= CONGESTED_BYTES
  }

  get unanswered(): number {
    return this.sent.length
  }

  /** What has not been answered for longest. */
  get oldest(): string {
    return this.sent[0]?.what ?? 'nothing'
  }

  get isCreating(): boolean {
    return this.sent[0]?.what === 'create'
  }

  /** The engine is being made. */
  create(): void {
    this.sent.push({ what: 'create', bytes: 0 })
  }

  push(event: EngineEvent): void {
    this.waiting.push(event)
    this.waitingBytes += sizeOf(event)
  }

  /**
   * The next event to send, if there is credit for it. A timer waits until everything before it is answered: only then it is known whether its event is still
   * wanted, as where the engine runs in this process.
   */
  next(): EngineEvent | undefined {
    for (;;) {
      const event = this.waiting[this.waitingFrom]
      if (event === undefined || this.sent.length >= MAX_UNANSWERED || (this.sent.length > 0 && this.sentBytes >= MAX_UNANSWERED_BYTES)) return undefined
      if (event.type === 'timer' && this.sent.length > 0) return undefined
      this.takeOut(event)
      if (event.type === 'timer') {
        if (!this.seat.claimTimer(event.name, event.generation)) continue
        this.claimed(event.name)
      }
      const bytes = sizeOf(event)
      this.sent.push({ what: event.type, bytes })
      this.sentBytes += bytes
      return event
    }
  }

  /** The oldest is answered: what it was; undefined if there was none. */
  answered(): string | undefined {
    const oldest = this.sent.shift()
    this.sentBytes -= oldest?.bytes ?? 0
    return oldest?.what
  }

  clear(): void {
    this.waiting = []
    this.waitingFrom = this.waitingBytes = 0
  }

  private takeOut(event: EngineEvent): void {
    this.waitingBytes -= sizeOf(event)
    this.waitingFrom++
    if (this.waitingFrom === this.waiting.length) this.clear()
    else if (this.waitingFrom > 1024 && this.waitingFrom * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.waitingFrom)
      this.waitingFrom = 0
    }
  }
}

/** The bytes that dominate an event. */
function sizeOf(event: EngineEvent): number {
  if (event.type === 'message') return event.bytes.length
  return event.type === 'request' ? event.request.bytes.length : 0
}
