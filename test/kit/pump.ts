import { nextTick } from 'node:process'
import { setImmediate } from 'node:timers'

/** Turns between two moments at which the real event loop may do something else: print, run a test runner's timers. */
const TURNS_BETWEEN_YIELDS = 4096

const resolved = Promise.resolve()

/** Runs a task as a microtask; `queueMicrotask` costs several times as much, for async resources that nobody here follows. */
export function soon(task: () => void): void {
  void resolved.then(task)
}

/**
 * Calls `turn` again and again until it returns false; between two turns every promise chain that the last one began, however long, has run out.
 * Rejects with what `turn` throws.
 *
 * Node runs all microtasks before the next tick, so a tick that is asked for by a microtask comes after everything that promises still had to do: that is a
 * hundred times cheaper than waiting for an immediate. Nothing in a simulated peer may wait for anything real, or use ticks of its own.
 */
export function pump(turn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let turns = 0
    const next = (): void => {
      try {
        if (!turn()) return resolve()
      } catch (error) {
        return reject(error)
      }
      turns += 1
      if (turns % TURNS_BETWEEN_YIELDS === 0) setImmediate(next)
      else soon(askForTick)
    }
    const askForTick = (): void => nextTick(next)
    soon(askForTick)
  })
}
