import type { LargeWrites } from './large-writes.js'

/** Beyond so much that was handed to the stream and is not taken yet, the rest waits here, where it is shared with other consumers. */
const MAX_IN_FLIGHT_BYTES = 64 * 1024

/** Where bytes go; `sent` is called when they are taken. */
export type WriteBytes = (bytes: Uint8Array, sent: () => void) => void

interface Waiting {
  readonly bytes: Uint8Array
  readonly endsBlock: boolean
}

/** What is on its way to one consumer. Knows how much waits; whoever fills it decides what that means. */
export class Outbox {
  private waiting: Waiting[] = []
  private first = 0
  private inFlight: number[] = []
  private inFlightBytes = 0
  private bytesWaiting = 0
  private blocksWaiting = 0
  private changedMs: number

  constructor(
    private readonly write: WriteBytes,
    private readonly elapsedMs: () => number,
    private readonly large: LargeWrites,
    /** Told whenever there is room again. */
    private readonly onRoom: () => void,
  ) {
    this.changedMs = elapsedMs()
  }

  /** Whether what is pushed now is written at once. */
  get hasRoom(): boolean {
    return this.first === this.waiting.length && this.inFlightBytes < MAX_IN_FLIGHT_BYTES
  }

  get waitingBytes(): number {
    return this.bytesWaiting
  }

  get waitingBlocks(): number {
    return this.blocksWaiting
  }

  /** Milliseconds since the consumer took something, if there is something to take; else 0. */
  get stalledMs(): number {
    return this.inFlight.length === 0 ? 0 : this.elapsedMs() - this.changedMs
  }

  /** `endsBlock`: the last of what one block gives. */
  push(bytes: Uint8Array, endsBlock: boolean): void {
    if (this.hasRoom && this.hand(bytes)) return
    this.waiting.push({ bytes, endsBlock })
    this.bytesWaiting += bytes.length
    if (endsBlock) this.blocksWaiting++
  }

  /** Forgets what waits. */
  clear(): void {
    this.waiting = []
    this.first = 0
    this.bytesWaiting = 0
    this.blocksWaiting = 0
    this.large.forget(this.pump)
  }

  /** The connection has ended: nothing is on its way any more. */
  release(): void {
    this.clear()
    for (const bytes of this.inFlight.splice(0)) this.large.end(bytes)
    this.inFlightBytes = 0
  }

  /** False if it has to wait until large events of others are through. */
  private hand(bytes: Uint8Array): boolean {
    if (!this.large.begin(bytes.length, this.pump)) return false
    if (this.inFlight.length === 0) this.changedMs = this.elapsedMs()
    this.inFlight.push(bytes.length)
    this.inFlightBytes += bytes.length
    this.write(bytes, this.sent)
    return true
  }

  /** One function for all writes. */
  private readonly sent = (): void => {
    const bytes = this.inFlight.shift()
    // After the release.
    if (bytes === undefined) return
    this.inFlightBytes -= bytes
    this.changedMs = this.elapsedMs()
    this.large.end(bytes)
    this.pump()
  }

  private readonly pump = (): void => {
    while (this.inFlightBytes < MAX_IN_FLIGHT_BYTES) {
      const next = this.waiting[this.first]
      if (next === undefined || !this.hand(next.bytes)) break
      this.first++
      this.bytesWaiting -= next.bytes.length
      if (next.endsBlock) this.blocksWaiting--
    }
    this.compact()
    if (this.hasRoom) this.onRoom()
  }

  private compact(): void {
    if (this.first < this.waiting.length && this.first < 256) return
    this.waiting = this.waiting.slice(this.first)
    this.first = 0
  }
}
