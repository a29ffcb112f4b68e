import type { Clock } from '../../../kernel/index.js'

/** Settles as `work` does, or rejects with `expired()` after `limitMs`; what `work` does later has no effect on the outcome. */
export function withinLimit<T>(clock: Clock, limitMs: number, work: Promise<T>, expired: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.setTimer(limitMs, () => reject(expired()))
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (cause: unknown) => {
        cancel()
        reject(cause)
      },
    )
  })
}
