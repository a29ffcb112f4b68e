/** However slowly this validator commits, so many requests may wait: a thousand of one origin, whose share is four fifths. */
const FLOOR = 1250
/** What waits takes about so long to be committed; what one origin alone may have waiting, two seconds. */
const WORTH_MS = 2500
/** Ended a millisecond, as callers are told to come where less was measured. */
const LEAST_RATE = 0.5
/** How soon the measured rate follows a changed one, in milliseconds during which something waits. */
const FOLLOWS_MS = 1000
/** A rate is taken over no less: blocks come in jumps. */
const LEAST_MEASURED_MS = 100
const SOONEST_RETRY_MS = 50
const LATEST_RETRY_MS = 10_000
/** The golden ratio: its multiples, without their whole parts, never come in heaps. */
const SPREAD = (Math.sqrt(5) - 1) / 2
/** Refused callers are to be so small a share of all who come. */
const MOST_REFUSED = 0.1
/** So much emptier than where callers were refused, and room stays unused: those who are told come too seldom. */
const ROOM_UNUSED = 0.9
const SPACING_STEP = 1.5
const WIDEST_SPACING = 32

export interface RoomOptions {
  /** The most that may wait, whatever the rate. */
  readonly maxRequests: number
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number
}

/**
 * How many requests may wait at this door: about two and a half seconds of the rate at which they end, so that who is accepted is committed soon and a flood is
 * refused while it can still go elsewhere. Refused callers are told to come one after the other, as room comes free: not all at once.
 */
export class Room {
  /** Ended a millisecond; undefined: not measured yet. */
  private rate: number | undefined
  private ended = 0
  private busyMs = 0
  /** Since when something waits that is not in `busyMs`. */
  private busySince: number | undefined
  /** Who is accepted takes the place of who leaves: then those who were told to come find no room, and are to come more seldom. */
  private spacing = 1
  private accepted = 0
  private refused = 0
  private waiting = 0
  /** How many waited when a caller was refused last. */
  private waitingWhenRefused = 0
  /** Up to when refused callers have been told to come. */
  private toldUntil = Number.NEGATIVE_INFINITY
  private toldLatest = 0

  constructor(private readonly options: RoomOptions) {}

  /** How many requests may wait now, with those that do. */
  bound(): number {
    this.measure()
    const { maxRequests } = this.options
    return Math.min(maxRequests, Math.max(FLOOR, Math.ceil((this.rate ?? 0) * WORTH_MS)))
  }

  /** A request waits; `isFirst`: nothing waited before. Only such time counts: an idle peer is not a slow one. */
  entered(isFirst: boolean): void {
    this.accepted++
    this.waiting++
    if (isFirst) this.busySince ??= this.options.elapsedMs()
  }

  /** A request has its outcome; `isLast`: none waits any more. */
  left(isLast: boolean): void {
    this.ended++
    this.waiting = isLast ? 0 : Math.max(0, this.waiting - 1)
    if (!isLast || this.busySince === undefined) return
    this.busyMs += this.options.elapsedMs() - this.busySince
    this.busySince = undefined
  }

  /** A caller is refused: when to come again, in whole milliseconds. */
  refuse(): number {
    const now = this.options.elapsedMs()
    this.refused++
    this.waitingWhenRefused = this.waiting
    const perRequestMs = this.spacing / Math.max(this.rate ?? 0, LEAST_RATE)
    const at = Math.max(this.toldUntil, now + SOONEST_RETRY_MS) + perRequestMs
    const latest = now + LATEST_RETRY_MS
    this.toldUntil = Math.min(at, latest)
    if (at <= latest) return Math.ceil(at - now)
    // More are told than can come within the limit: spread out, they at least do not come all at once.
    this.toldLatest = (this.toldLatest + SPREAD) % 1
    return Math.ceil((LATEST_RETRY_MS / 2) * (1 + this.toldLatest))
  }

  private measure(): void {
    const now = this.options.elapsedMs()
    const measuredMs = this.busyMs + (this.busySince === undefined ? 0 : now - this.busySince)
    if (measuredMs < LEAST_MEASURED_MS) return
    const rate = this.ended / measuredMs
    this.rate = this.rate === undefined ? rate : this.rate + ((rate - this.rate) * measuredMs) / (measuredMs + FOLLOWS_MS)
    const share = this.refused / (this.accepted + this.refused)
    if (share > MOST_REFUSED) this.spacing = Math.min(WIDEST_SPACING, this.spacing * SPACING_STEP)
    else if (this.waiting < this.waitingWhenRefused * ROOM_UNUSED) this.spacing = Math.max(1, this.spacing / SPACING_STEP)
    this.accepted = 0
    this.refused = 0
    this.ended = 0
    this.busyMs = 0
    if (this.busySince !== undefined) this.busySince = now
  }
}
