import { setImmediate } from 'node:timers/promises'

/** A function that lets the event loop run at every `calls`-th call, for long loops over the store. */
export function pauseEvery(calls: number): () => Promise<void> {
  let count = 0
  return async () => {
    count += 1
    if (count % calls === 0) await setImmediate()
  }
}
