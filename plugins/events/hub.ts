import { type Clock, type Logger, PeerError } from '../../kernel/index.js'
import type { CommittedBlock, Height, Ledger } from '../ledger/index.js'
import { BlockEvents, type HubEvent } from './block-events.js'
import { Consumer, type Outlet } from './consumer.js'
import { EventCounters } from './counters.js'
import type { EventFilter } from './interests.js'
import { LargeWrites } from './large-writes.js'
import { LiveFeed, type LiveLimits } from './live-feed.js'
import { RecentBlocks } from './recent-blocks.js'
import { ReplayFeed, type ReplayStart } from './replay-feed.js'
import { Turns } from './turns.js'

const UNAVAILABLE = 14
const RESOURCE_EXHAUSTED = 8
const OUT_OF_RANGE = 11
const STALL_CHECK_MS = 10_000
/** A replaying consumer that takes nothing for so long is dropped. */
const STALL_LIMIT_MS = 60_000

/** Bytes of large events on their way to all consumers together. */
const MAX_LARGE_BYTES = 256 * 1024 * 1024

export interface HubLimits extends LiveLimits {
  readonly maxConsumers: number
}

export interface HubParts {
  readonly ledger: Pick<Ledger, 'onCommit' | 'blockBytes' | 'height'>
  readonly limits: HubLimits
  readonly clock: Clock
  readonly log: Logger
}

/** Tells consumers of committed blocks. Everything is encoded once for all; nobody who reads slowly holds up a commit or the others. */
export class EventHub {
  readonly counters = new EventCounters()
  private readonly consumers = new Set<Consumer>()
  private readonly replaying = new Set<Consumer>()
  private readonly recent = new RecentBlocks()
  private readonly large = new LargeWrites(MAX_LARGE_BYTES)
  private readonly turns: Turns
  private announced: BlockEvents[] = []
  private isClosed = false
  private unsubscribe = (): void => undefined
  private cancelCheck = (): void => undefined

  constructor(private readonly parts: HubParts) {
    this.turns = new Turns(() => parts.clock.elapsedMs())
  }

  /** Listens for commits from now on. */
  open(): void {
    this.unsubscribe = this.parts.ledger.onCommit((block) => this.committed(block))
    this.checkStalled()
  }

  /** Ends all consumers: they may come back. */
  close(): void {
    this.isClosed = true
    this.unsubscribe()
    this.cancelCheck()
    this.announce()
    const reason = new PeerError('ERR_EVENTS_STOPPED', 'the peer stops', { grpcStatus: UNAVAILABLE, retryable: true })
    for (const consumer of this.consumers) consumer.finish(reason)
  }

  /** Takes in a consumer, which is sent nothing yet. Throws ERR_EVENTS_FULL. */
  admit(outlet: Outlet, roomMade?: () => void): Consumer {
    const { limits, clock, log } = this.parts
    if (this.isClosed) throw new PeerError('ERR_EVENTS_STOPPED', 'the peer stops', { grpcStatus: UNAVAILABLE, retryable: true })
    if (this.consumers.size >= limits.maxConsumers) {
      this.counters.refused++
      throw new PeerError('ERR_EVENTS_FULL', `this peer has ${this.consumers.size} event consumers, its limit (peer.validator.events.maxconsumers)`, {
        hint: 'try again later, or another peer',
        grpcStatus: RESOURCE_EXHAUSTED,
        retryable: true,
      })
    }
    const { counters, large } = this
    const consumer = new Consumer(outlet, { clock, log, large, counters, ended: (over) => this.remove(over), ...(roomMade ? { roomMade } : {}) })
    this.consumers.add(consumer)
    counters.admitted++
    counters.consumers = this.consumers.size
    return consumer
  }

  /** Sends a consumer what happens from now on. */
  follow(consumer: Consumer, filter: EventFilter): void {
    this.announce()
    const { limits, clock } = this.parts
    consumer.feedWith(new LiveFeed(filter, consumer.outbox, limits, clock, (reason) => consumer.drop(reason)))
  }

  /** Sends a consumer everything from `start` on, without gap or repeat. Throws ERR_EVENTS_RANGE for a block that is not there and not the next one. */
  replay(consumer: Consumer, filter: EventFilter, start: ReplayStart, encode: (event: HubEvent) => Uint8Array): void {
    this.checkStart(start)
    const { outbox } = consumer
    const blockEvents = (number: Height) => this.blockEvents(number)
    const feed = new ReplayFeed({ filter, start, outbox, turns: this.turns, blockEvents, encode, fail: (thrown) => consumer.fail(thrown) })
    consumer.feedWith(feed)
    this.replaying.add(consumer)
    feed.take()
  }

  /** The number of the block that comes next. */
  nextBlock(): Height {
    return this.parts.ledger.height()
  }

  /** Throws as {@link replay} does. Who resumes after an event may be ahead of this peer: it waits until the peer has caught up. */
  checkStart(start: ReplayStart): void {
    const height = this.nextBlock()
    if ('after' in start || start.from <= height) return
    throw new PeerError('ERR_EVENTS_RANGE', `expected a block up to ${height}, which comes next, found ${start.from}`, { grpcStatus: OUT_OF_RANGE })
  }

  /** After the block is durable; what consumers cost is not part of the commit. */
  private committed({ number, bytes, executed }: CommittedBlock): void {
    const events = new BlockEvents(number, bytes, executed)
    this.recent.add(events)
    if (this.consumers.size === 0) return
    if (this.announced.push(events) === 1) setImmediate(() => this.announce())
  }

  private announce(): void {
    const { announced } = this
    if (announced.length === 0) return
    this.announced = []
    for (const events of announced) for (const consumer of this.consumers) consumer.take(events)
  }

  private blockEvents(number: Height): BlockEvents | undefined {
    const { ledger } = this.parts
    if (number >= ledger.height()) return undefined
    const recent = this.recent.get(number)
    if (recent !== undefined) return recent
    // A hole: a transfer has not brought that block yet.
    const bytes = ledger.blockBytes(number)
    return bytes && new BlockEvents(number, bytes)
  }

  private remove(consumer: Consumer): void {
    this.consumers.delete(consumer)
    this.counters.consumers = this.consumers.size
    this.replaying.delete(consumer)
  }

  private checkStalled(): void {
    this.cancelCheck = this.parts.clock.setTimer(STALL_CHECK_MS, () => {
      for (const consumer of this.replaying) {
        if (consumer.outbox.stalledMs < STALL_LIMIT_MS) continue
        const message = `this consumer has read nothing for ${STALL_LIMIT_MS / 1000} s; resume after the last event that it has`
        consumer.drop(new PeerError('ERR_EVENTS_SLOW', message, { grpcStatus: RESOURCE_EXHAUSTED, retryable: true }))
      }
      this.checkStalled()
    })
  }
}
