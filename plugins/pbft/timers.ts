import type { EngineHost } from '../consensus/index.js'

/** newView: a request or a new view takes too long. vcResend, nullRequest, batch: as in v0.6 (§10.2). tick, fetch, announce: catching up. */
export type TimerName = 'newView' | 'vcResend' | 'nullRequest' | 'batch' | 'tick' | 'fetch' | 'announce'

/** The host's timers, with v0.6's soft start (spec/consensus.md §10.1). */
export interface Timers {
  set(name: TimerName, delayMs: number): void
  /** Nothing happens if it runs already. */
  softStart(name: TimerName, delayMs: number): void
  stop(name: TimerName): void
  isRunning(name: TimerName): boolean
  /** It ran out. */
  fired(name: string): void
}

export function createTimers(host: EngineHost): Timers {
  const running = new Set<string>()
  const set = (name: TimerName, delayMs: number): void => {
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
