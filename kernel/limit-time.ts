import type { Clock } from './clock.js'
import { PeerError } from './errors.js'

/** The outcome of `work`, or ERR_TIMEOUT after `limitMs`; then `late` hears how the work ends after all. */
export function limitTime<T>(work: Promise<T>, limitMs: number, clock: Clock, what: string, late?: (failure: unknown) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let expired = false
    const cancel = clock.setTimer(limitMs, () => {
      expired = true
      reject(new PeerError('ERR_TIMEOUT', `${what} did not end within ${limitMs / 1000} s`, { hint: 'is there a promise in it that is never settled?' }))
    })
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (reason: unknown) => {
        cancel()
        if (expired) late?.(reason)
        else reject(reason)
      },
    )
  })
}

/** True once `work` has ended, false after `limitMs`. */
export async function endsWithin(work: Promise<unknown>, limitMs: number, clock: Clock): Promise<boolean> {
  let cancel: (() => void) | undefined
  const limit = new Promise<boolean>((resolve) => {
    cancel = clock.setTimer(limitMs, () => resolve(false))
  })
  const ended = await Promise.race([work.then(() => true), limit])
  cancel?.()
  return ended
}
