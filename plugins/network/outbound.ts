/** Classes of traffic to one neighbour, each with a queue and bounds of its own. */
export type Lane = 'control' | 'consensus' | 'sync'

interface Bounds {
  readonly messages: number
  readonly bytes: number
}

/**
 * What may wait for one neighbour. At the bound: `control` (HELLO, discovery, requests) and `sync` (blocks and state for others) take nothing
 * more until something has left; all of `consensus` is given up together, which the caller tells consensus (see link.ts).
 */
export const LANE_BOUNDS: Readonly<Record<Lane, Bounds>> = Object.freeze({
  control: { messages: 1000, bytes: 4 * 1024 * 1024 },
  consensus: { messages: 16_384, bytes: 64 * 1024 * 1024 },
  sync: { messages: 64, bytes: 1024 * 1024 },
})

/** While consensus waits too, sync gets this share of its bytes: a peer that catches up still does, and delays nobody. */
const SYNC_SHARE = 0.25

class Queue {
  private items: Uint8Array[] = []
  private start = 0
  bytes = 0

  get length(): number {
    return this.items.length - this.start
  }

  get first(): Uint8Array | undefined {
    return this.items[this.start]
  }

  push(item: Uint8Array): void {
    this.items.push(item)
    this.bytes += item.length
  }

  shift(): Uint8Array | undefined {
    const item = this.items[this.start]
    if (item === undefined) return undefined
    this.start++
    this.bytes -= item.length
    if (this.start === this.items.length) this.clear()
    else if (this.start > 1024 && this.start * 2 > this.items.length) {
      this.items = this.items.slice(this.start)
      this.start = 0
    }
    return item
  }

  clear(): void {
    this.items = []
    this.start = 0
    this.bytes = 0
  }
}

/** Messages that wait to be written to one neighbour: control first, then consensus, of which sync gets a share. */
export class Outbound {
  private readonly lanes: Readonly<Record<Lane, Queue>> = { control: new Queue(), consensus: new Queue(), sync: new Queue() }
  private syncCredit = 0

  get messages(): number {
    return this.lanes.control.length + this.lanes.consensus.length + this.lanes.sync.length
  }

  get bytes(): number {
    return this.lanes.control.bytes + this.lanes.consensus.bytes + this.lanes.sync.bytes
  }

  /** Whether a lane takes one more message. One of any size fits into an empty lane. */
  hasRoom(lane: Lane, bytes = 0): boolean {
    const queue = this.lanes[lane]
    const bounds = LANE_BOUNDS[lane]
    return queue.length === 0 || (queue.length < bounds.messages && queue.bytes + bytes <= bounds.bytes)
  }

  /** False, changing nothing: the lane is full. */
  push(lane: Lane, message: Uint8Array): boolean {
    if (!this.hasRoom(lane, message.length)) return false
    this.lanes[lane].push(message)
    return true
  }

  /** Gives up what waits in a lane; returns how many messages that were. */
  drop(lane: Lane): number {
    const queue = this.lanes[lane]
    const dropped = queue.length
    queue.clear()
    return dropped
  }

  /** Length of the message that `shift` gives next. */
  readonly peek = (): number | undefined => this.next()?.first?.length

  /** The message that leaves next. */
  readonly shift = (): Uint8Array | undefined => {
    const queue = this.next()
    const message = queue?.shift()
    if (message === undefined) return undefined
    if (queue === this.lanes.consensus) this.syncCredit += message.length * SYNC_SHARE
    else if (queue === this.lanes.sync) this.syncCredit = Math.max(0, this.syncCredit - message.length)
    // Credit that nobody needs is not saved up.
    if (this.lanes.sync.length === 0) this.syncCredit = 0
    return message
  }

  private next(): Queue | undefined {
    const { control, consensus, sync } = this.lanes
    if (control.length > 0) return control
    if (consensus.length === 0) return sync.length > 0 ? sync : undefined
    return sync.first !== undefined && this.syncCredit >= sync.first.length ? sync : consensus
  }
}
