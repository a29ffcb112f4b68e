import type { Clock } from '../../kernel/index.js'

interface Entry {
  readonly atMs: number
  /** Ties are broken by the order of scheduling. */
  readonly order: number
  run: (() => void) | undefined
}

/** Simulated time: a queue of tasks, run one by one in the order of their moments and, within one moment, of their scheduling. */
export class VirtualTime {
  readonly #heap: Entry[] = []
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
    this.#order += 1
    const entry: Entry = { atMs: Math.max(this.#nowMs, atMs), order: this.#order, run: task }
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }

  /** Moment of the next task; `undefined` if none is left. */
  nextMs(): number | undefined {
    this.#dropCancelled()
    return this.#heap[0]?.atMs
  }

  /** Advances to the next task and runs it; false if none is left. */
  step(): boolean {
    this.#dropCancelled()
    const entry = this.#pop()
    if (entry === undefined) return false
    this.#nowMs = entry.atMs
    entry.run?.()
    return true
  }

  /** Lets time pass without running anything; `nowMs` must not lie before the present. */
  advanceTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) this.#pop()
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt]
      if (parent === undefined || !isBefore(entry, parent)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let childAt = 2 * at + 1
      let child = heap[childAt]
      if (child === undefined) break
      const right = heap[childAt + 1]
      if (right !== undefined && isBefore(right, child)) {
        child = right
        childAt += 1
      }
      if (!isBefore(child, last)) break
      heap[at] = child
      at = childAt
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
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
