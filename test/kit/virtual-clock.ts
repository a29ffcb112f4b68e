import type { Clock } from '../../kernel/index.js'

/**
 * Something that happens at a moment of simulated time. Who schedules by the thousand extends it: then the entry of the queue, what is to be done, and what it is done to are
 * one object.
 */
export abstract class Happening {
  /** Set when it is scheduled: what happens at one moment happens in the order of scheduling. */
  order = 0
  isCancelled = false

  abstract happen(): void
}

class Task extends Happening {
  constructor(private readonly task: () => void) {
    super()
  }

  happen(): void {
    this.task()
  }
}

/** Simulated time: a queue of tasks, run one by one in the order of their moments and, within one moment, of their scheduling. */
export class VirtualTime {
  readonly #queue = new HappeningQueue()
  #nowMs = 0
  #order = 0

  /** Milliseconds since the simulation began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Runs `task` after `delayMs` of virtual time (never at once); the returned function takes it back. */
  schedule(delayMs: number, task: () => void): () => void {
    return this.scheduleAt(this.#nowMs + Math.max(0, delayMs), task)
  }

  /** Runs `task` at a moment, the present one if that is over: tasks of equal moments, whenever they were scheduled, keep their order, which delays to that moment, being rounded, would not. */
  scheduleAt(atMs: number, task: () => void): () => void {
    const entry = new Task(task)
    this.add(atMs, entry)
    return () => {
      entry.isCancelled = true
    }
  }

  /** The same for what is a happening itself: of the kit's own, and each once. `isCancelled` takes it back. */
  add(atMs: number, happening: Happening): void {
    happening.order = this.#order += 1
    this.#queue.push(Math.max(this.#nowMs, atMs), happening)
  }

  /** Moment of the next task; `undefined` if none is left. */
  nextMs(): number | undefined {
    this.#dropCancelled()
    return this.#queue.firstMs
  }

  /** Whether a task is left that is due by then. */
  isDueBy(atMs: number): boolean {
    this.#dropCancelled()
    return (this.#queue.firstMs ?? Number.POSITIVE_INFINITY) <= atMs
  }

  /** Advances to the next task and runs it; false if none is left. */
  step(): boolean {
    this.#dropCancelled()
    const { firstMs } = this.#queue
    const next = this.#queue.pop()
    if (next === undefined || firstMs === undefined) return false
    this.#nowMs = firstMs
    next.happen()
    return true
  }

  /** Lets time pass without running anything; `nowMs` must not lie before the present. */
  advanceTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
  }

  #dropCancelled(): void {
    while (this.#queue.first?.isCancelled === true) this.#queue.pop()
  }
}

/** A heap. Moments are in an array of their own: V8 keeps numbers with fractions in an array as they are, in an object each in a piece of memory of its own. */
class HappeningQueue {
  readonly #moments: number[] = []
  readonly #happenings: Happening[] = []

  get first(): Happening | undefined {
    return this.#happenings[0]
  }

  get firstMs(): number | undefined {
    return this.#moments[0]
  }

  push(atMs: number, happening: Happening): void {
    this.#moments.push(atMs)
    this.#happenings.push(happening)
    let at = this.#moments.length - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(atMs, happening, parent)) break
      this.#move(parent, at)
      at = parent
    }
    this.#moments[at] = atMs
    this.#happenings[at] = happening
  }

  pop(): Happening | undefined {
    const first = this.#happenings[0]
    const last = this.#happenings.pop()
    const lastMs = this.#moments.pop()
    const { length } = this.#happenings
    if (last === undefined || lastMs === undefined || length === 0) return first
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1
      const rightOne = this.#happenings[right]
      if (rightOne !== undefined && this.#isBefore(this.#moments[right] ?? 0, rightOne, child)) child = right
      if (this.#isBefore(lastMs, last, child)) break
      this.#move(child, at)
      at = child
    }
    this.#moments[at] = lastMs
    this.#happenings[at] = last
    return first
  }

  #isBefore(atMs: number, happening: Happening, other: number): boolean {
    const otherMs = this.#moments[other] ?? 0
    return atMs < otherMs || (atMs === otherMs && happening.order < (this.#happenings[other]?.order ?? 0))
  }

  #move(from: number, to: number): void {
    const happening = this.#happenings[from]
    if (happening !== undefined) this.#happenings[to] = happening
    this.#moments[to] = this.#moments[from] ?? 0
  }
}

/** Wall clock of a simulation starts here (2016-08-01T00:00:00Z). */
const EPOCH_SECONDS = 1_470_009_600n
/** The same in milliseconds. */
export const EPOCH_MS = Number(EPOCH_SECONDS) * 1000

/**
 * The kernel's clock on virtual time. `alive` is asked before a timer runs, so that the timers of a crashed peer die with it.
 * `jumpedMs` is how much its wall clock differs from the others'; the monotonic one never jumps.
 */
export function createVirtualClock(time: VirtualTime, alive: () => boolean = () => true, jumpedMs: () => number = () => 0): Clock {
  return {
    now() {
      const ms = time.nowMs + jumpedMs()
      const seconds = Math.floor(ms / 1000)
      return { seconds: EPOCH_SECONDS + BigInt(seconds), nanos: Math.floor((ms - seconds * 1000) * 1e6) }
    },
    elapsedMs: () => time.nowMs,
    setTimer: (delayMs, task) =>
      time.schedule(delayMs, () => {
        if (alive()) task()
      }),
  }
}
