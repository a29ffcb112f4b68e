import type { EngineHost } from '../engine/engine.js'

/** An engine's timers, which it can also ask whether they run. It must say when one has `fired`. */
export interface SoftTimers<Name extends string> {
  /** (Re)starts a timer. */
  set(name: Name, delayMs: number): void
  /** Starts a timer that does not run; one that runs goes on as it is (spec/consensus.md §10.1). */
  softStart(name: Name, delayMs: number): void
  stop(name: Name): void
  isRunning(name: Name): boolean
  /** From `onTimer`: it does not run any more. */
  fired(name: string): void
}

/** Names that are kept when their timers do not run. */
const MOST_KEPT = 32

/** Timers of an engine, by the names that it uses with `host.setTimer`. */
export function createSoftTimers<Name extends string>(host: EngineHost): SoftTimers<Name> {
  // Names stay, unless they are new ones again and again: a set that is emptied and filled is laid out anew every few times.
  const running = new Map<string, boolean>()
  const isRunning = (name: string): boolean => running.get(name) === true
  const end = (name: string): void => void (running.size > MOST_KEPT ? running.delete(name) : running.set(name, false))
  const set = (name: Name, delayMs: number): void => {
    running.set(name, true)
    host.setTimer(name, delayMs)
  }
  return {
    set,
    softStart: (name, delayMs) => {
      if (!isRunning(name)) set(name, delayMs)
    },
    stop: (name) => {
      if (!isRunning(name)) return
      end(name)
      host.cancelTimer(name)
    },
    isRunning,
    fired: (name) => {
      if (isRunning(name)) end(name)
    },
  }
}
