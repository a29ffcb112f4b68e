import { codec, createSoftTimers, type EngineHost, type MemberIndex } from 'weft/consensus'
import { quorumsOf } from './block.js'

/** How often the time-out doubles. */
const MAX_DOUBLINGS = 6

/**
 * Views begin by wishes. Who sees no progress wishes for the next view and says so to everybody; f + 1 that wish for a view convince the others, since one of
 * them is honest; a quorum enters it. A wish never sinks, also by a restart, and says all that the earlier ones said, so the last one is enough for whoever missed the others.
 */
export class Pacemaker {
  view: number
  readonly #wishes: number[]
  /** Views in a row that ended without a decision. */
  #failures = 0
  readonly #timers

  constructor(
    private readonly host: EngineHost,
    private readonly timeoutMs: number,
    view: number,
    stored: Uint8Array | undefined,
    /** The own wish has changed; a view was entered; something should be decided soon. */
    private readonly effects: { say(): void; entered(): void; isBusy(): boolean },
  ) {
    this.view = view
    const wish = codec.number.decode(stored) ?? view
    this.#wishes = host.members.map(({ index }) => (index === host.self ? Math.max(view, wish) : 0))
    this.#timers = createSoftTimers<'view'>(host)
  }

  get wish(): number {
    return this.#wishes[this.host.self] ?? this.view
  }

  /** A member wishes to be in a view. */
  heard(member: MemberIndex, view: number): void {
    if (view <= (this.#wishes[member] ?? 0)) return
    this.#wishes[member] = view
    const { faulty, quorum } = quorumsOf(this.host.members.length)
    const highest = [...this.#wishes].sort((left, right) => right - left)
    const convincing = highest[faulty] ?? 0
    const agreed = highest[quorum - 1] ?? 0
    if (convincing > this.wish) this.#wishFor(convincing)
    else if (agreed > this.view) {
      this.#failures += 1
      this.enter(agreed)
    }
  }

  /** A quorum is there: it wished for it, or has voted in it. */
  enter(view: number): void {
    if (view <= this.view) return
    this.view = view
    this.#wishes[this.host.self] = Math.max(this.wish, view)
    this.#timers.stop('view')
    this.effects.entered()
  }

  /** Something was decided or executed. */
  progress(): void {
    this.#failures = 0
    this.#timers.stop('view')
  }

  /** After each event: the timer runs while there is something to wait for. */
  watch(): void {
    if (this.effects.isBusy()) this.#timers.softStart('view', this.timeoutMs * 2 ** Math.min(this.#failures, MAX_DOUBLINGS))
    else this.#timers.stop('view')
  }

  /** The leader of this view is given up. */
  onTimer(): void {
    this.#timers.fired('view')
    this.#wishFor(Math.max(this.wish, this.view + 1))
  }

  /** If it is not new it is said again: it may have been lost. */
  #wishFor(view: number): void {
    if (view > this.wish) this.host.put('wish', codec.number.encode(view))
    this.heard(this.host.self, view)
    this.effects.say()
  }
}
