import type { Height } from '../ledger/index.js'
import type { BlockEvents, HubEvent } from './block-events.js'
import type { Feed } from './consumer.js'
import type { EventFilter } from './interests.js'
import type { Outbox } from './outbox.js'
import { comparePositions, type EventPosition } from './position.js'
import type { Turns, Worker } from './turns.js'

/** Where a replay begins: with a block, or after an event. */
export type ReplayStart = { readonly from: Height } | { readonly after: EventPosition }

/** What a replay is made of. */
export interface ReplayParts {
  readonly filter: EventFilter
  readonly start: ReplayStart
  readonly outbox: Outbox
  readonly turns: Turns
  /** The events of a block; `undefined` if the chain does not have it yet. */
  readonly blockEvents: (number: Height) => BlockEvents | undefined
  /** What is sent of an event. */
  readonly encode: (event: HubEvent) => Uint8Array
  /** The ledger cannot be read. */
  readonly fail: (thrown: unknown) => void
}

/**
 * Sends the events of all blocks in the order of the chain, past ones and then new ones, each once: it keeps its own place and takes the next block
 * whenever there is one and the consumer has room. So nothing piles up for a slow consumer; it only gets what it asks for later.
 */
export class ReplayFeed implements Feed, Worker {
  private next: Height
  private after: EventPosition | undefined
  private current: readonly HubEvent[] | undefined
  private index = 0

  constructor(private readonly parts: ReplayParts) {
    const { start } = parts
    this.next = 'from' in start ? start.from : start.after.block
    this.after = 'after' in start ? start.after : undefined
  }

  take(): void {
    this.parts.turns.add(this)
  }

  roomMade(): void {
    this.parts.turns.add(this)
  }

  close(): void {
    this.parts.turns.delete(this)
  }

  step(): boolean {
    try {
      return this.sendBlock()
    } catch (thrown) {
      this.parts.fail(thrown)
      return false
    }
  }

  /** True when the block is over and the next one can be tried. */
  private sendBlock(): boolean {
    const { outbox, filter, encode } = this.parts
    if (!outbox.hasRoom) return false
    const events = (this.current ??= this.load())
    if (events === undefined) return false
    for (let event = events[this.index]; event !== undefined; event = events[this.index]) {
      if (!outbox.hasRoom) return false
      this.index++
      const bytes = encode(event)
      for (let left = filter.count(event); left > 0; left--) outbox.push(bytes, false)
    }
    this.current = undefined
    this.next++
    return true
  }

  private load(): readonly HubEvent[] | undefined {
    const block = this.parts.blockEvents(this.next)
    if (block === undefined) return undefined
    const { after } = this
    this.index = 0
    this.after = undefined
    const events = block.inOrder(this.parts.filter)
    return after === undefined ? events : events.filter(({ position }) => comparePositions(position, after) > 0)
  }
}
