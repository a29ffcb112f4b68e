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

/** Timers of an engine, by the names that it uses with `host.setTimer`. */
export function createSoftTimers<Name extends string>(host: EngineHost): SoftTimers<Name> {
  const running = new Set<string>()
  const set = (name: Name, delayMs: number): void => {
    running.add(name)
    host.setTimer(name, delayMs)
  }
  return {
    set,
    softStart: (name, delayMs) => {
      if (!running.has(name)) set(name, delayMs)
    },
    stop: (name) => {
      if (running.delete(name)) host.cancelTimer(name)
    },
    isRunning: (name) => running.has(name),
    fired: (name) => void running.delete(name),
  }
}
