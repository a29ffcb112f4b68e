import { type Clock, type Logger, PeerError, messageOf } from '../../kernel/index.js'
import type { BlockEvents } from './block-events.js'
import type { EventCounters } from './counters.js'
import type { LargeWrites } from './large-writes.js'
import { Outbox } from './outbox.js'

/** How events reach one consumer. */
export interface Outlet {
  /** Who it is, for the log. */
  readonly remote: string
  write(bytes: Uint8Array, sent: () => void): void
  /** Tells the consumer why it gets no more. */
  fail(reason: PeerError): void
  /** Ends the connection at once: the consumer does not even read why. */
  cut(): void
}

/** What fills a consumer's outbox. */
export interface Feed {
  /** A block was committed. */
  take(events: BlockEvents): void
  /** The outbox can take more. */
  roomMade(): void
  close(): void
}

/** What all consumers of a hub share, and who hears of this one. */
export interface ConsumerParts {
  readonly clock: Clock
  readonly log: Logger
  readonly large: LargeWrites
  readonly counters: EventCounters
  readonly ended: (consumer: Consumer) => void
  readonly roomMade?: () => void
}

/** A dropped consumer has so long to read why. */
const FAREWELL_MS = 5000
const INTERNAL = 13

/** One stream of events, whatever it runs over. Counts until the connection has ended. */
export class Consumer {
  readonly outbox: Outbox
  private feed: Feed | undefined
  private isOver = false
  private cancelCut = (): void => undefined

  constructor(
    private readonly outlet: Outlet,
    private readonly parts: ConsumerParts,
  ) {
    const { clock, large, counters } = parts
    this.outbox = new Outbox(
      (bytes, sent) => {
        counters.sent++
        counters.sentBytes += bytes.length
        outlet.write(bytes, sent)
      },
      () => clock.elapsedMs(),
      large,
      () => this.onRoom(),
    )
  }

  get isFed(): boolean {
    return this.feed !== undefined
  }

  /** From now on it is sent what `feed` gives. */
  feedWith(feed: Feed): void {
    if (!this.isOver) this.feed = feed
  }

  take(events: BlockEvents): void {
    if (this.isOver) return
    try {
      this.feed?.take(events)
    } catch (thrown) {
      this.fail(thrown)
    }
  }

  /** Ends it with a reason, which is logged. */
  drop(reason: PeerError): void {
    if (this.isOver) return
    const { log, counters } = this.parts
    if (reason.code === 'ERR_EVENTS_FAILED') counters.droppedFailed++
    else counters.droppedSlow++
    log.warning(`dropped an event consumer: ${reason.message}`, { remote: this.outlet.remote })
    this.finish(reason)
  }

  /** Ends it because something failed here. */
  fail(thrown: unknown): void {
    this.drop(new PeerError('ERR_EVENTS_FAILED', `the events cannot be read: ${messageOf(thrown)}`, { cause: thrown, grpcStatus: INTERNAL }))
  }

  /** Ends it without a word in the log. */
  finish(reason: PeerError): void {
    if (this.isOver) return
    this.stopFeeding()
    this.cancelCut = this.parts.clock.setTimer(FAREWELL_MS, () => this.outlet.cut())
    this.outlet.fail(reason)
  }

  /** Its connection has ended. */
  release(): void {
    this.stopFeeding()
    this.outbox.release()
    this.cancelCut()
    this.parts.ended(this)
  }

  private onRoom(): void {
    if (this.isOver) return
    this.feed?.roomMade()
    this.parts.roomMade?.()
  }

  private stopFeeding(): void {
    this.isOver = true
    this.feed?.close()
    this.feed = undefined
    this.outbox.clear()
  }
}
