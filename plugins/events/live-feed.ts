import { type Clock, PeerError } from '../../kernel/index.js'
import type { BlockEvents, HubEvent } from './block-events.js'
import type { Feed } from './consumer.js'
import type { EventFilter } from './interests.js'
import type { Outbox } from './outbox.js'

const RESOURCE_EXHAUSTED = 8

/** What one consumer may leave unread. */
export interface LiveLimits {
  /** Blocks whose events may wait. */
  readonly bufferBlocks: number
  /** How long it may be beyond that: at all times below 0, for ever at 0. */
  readonly timeoutMs: number
  /** Bytes of events that may wait, however long. */
  readonly bufferBytes: number
}

/** Sends events as they happen, as v0.6 does. A consumer that reads too slowly is dropped; nobody waits for it (spec/node.md §7). */
export class LiveFeed implements Feed {
  private cancelTimer: (() => void) | undefined

  constructor(
    private readonly filter: EventFilter,
    private readonly outbox: Outbox,
    private readonly limits: LiveLimits,
    private readonly clock: Clock,
    private readonly drop: (reason: PeerError) => void,
  ) {}

  take(events: BlockEvents): void {
    const chosen = this.chosenOf(events)
    for (const [index, event] of chosen.entries()) this.push(event, index === chosen.length - 1)
    this.judge()
  }

  roomMade(): void {
    if (!this.isFull) this.close()
  }

  close(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
  }

  private push(event: HubEvent, endsBlock: boolean): void {
    const count = this.filter.count(event)
    for (let sent = 1; sent <= count; sent++) this.outbox.push(event.bytes, endsBlock && sent === count)
  }

  private chosenOf(events: BlockEvents): HubEvent[] {
    const { filter } = this
    const chosen: HubEvent[] = []
    if (filter.wantsRejections) chosen.push(...events.rejections)
    if (filter.wantsBlocks) chosen.push(events.block)
    if (filter.wantsChaincode && events.isExecuted) for (const event of events.chaincodeEvents) if (filter.count(event) > 0) chosen.push(event)
    return chosen
  }

  private get isFull(): boolean {
    return this.outbox.waitingBlocks > this.limits.bufferBlocks
  }

  private judge(): void {
    const { timeoutMs, bufferBytes } = this.limits
    // One block is always taken, however large.
    if (this.outbox.waitingBytes > bufferBytes && this.outbox.waitingBlocks > 1) {
      return this.drop(tooSlow(`${this.outbox.waitingBytes} bytes of events were waiting, allowed are ${bufferBytes} (peer.validator.events.bufferbytes)`))
    }
    if (!this.isFull || timeoutMs === 0) return
    if (timeoutMs < 0) return this.drop(this.tooMany())
    this.cancelTimer ??= this.clock.setTimer(timeoutMs, () => {
      this.cancelTimer = undefined
      if (this.isFull) this.drop(this.tooMany())
    })
  }

  private tooMany(): PeerError {
    return tooSlow(
      `the events of ${this.outbox.waitingBlocks} blocks were waiting, allowed are ${this.limits.bufferBlocks} (peer.validator.events.buffersize, .timeout)`,
    )
  }
}

function tooSlow(what: string): PeerError {
  return new PeerError('ERR_EVENTS_SLOW', `this consumer reads too slowly: ${what}; register again, and read faster`, {
    grpcStatus: RESOURCE_EXHAUSTED,
    retryable: true,
  })
}
