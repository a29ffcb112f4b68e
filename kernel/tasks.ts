import type { Clock } from './clock.js'
import { PeerError, messageOf } from './errors.js'
import type { Logger } from './logging.js'

/** The outcome of `work`, or ERR_TIMEOUT after `limitMs`; then `late` hears how the work ends after all. */
export function limitTime<T>(work: Promise<T>, limitMs: number, clock: Clock, what: string, late?: (failure: unknown) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let expired = false
    const cancel = clock.setTimer(limitMs, () => {
      expired = true
      reject(new PeerError('ERR_TIMEOUT', `${what} did not end within ${limitMs / 1000} s`, { hint: 'is there a promise in it that is never settled?' }))
    })
    work.finally(cancel).then(resolve, (reason: unknown) => (expired ? late?.(reason) : reject(reason)))
  })
}

/** True once `work` has ended, false after `limitMs`. */
export function endsWithin(work: Promise<unknown>, limitMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(limitMs, () => resolve(false))
    work.finally(cancel).then(() => resolve(true), reject)
  })
}

/** The background work of one plugin: promises that nobody awaits until the plugin stops. */
export class Tasks {
  readonly #names = new Map<Promise<void>, string>()

  constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** Owns `work`; a failure is logged under `name`. */
  run(name: string, work: Promise<unknown>): void {
    const watched: Promise<void> = work.then(
      () => void this.#names.delete(watched),
      (reason: unknown) => {
        this.#names.delete(watched)
        this.log.in('run').error(`background task ${name} failed: ${messageOf(reason)}`, { task: name })
      },
    )
    this.#names.set(watched, name)
  }

  /** Waits for all work, at most `limitMs`; then logs what still runs and goes on. */
  async settle(limitMs: number): Promise<void> {
    if (await endsWithin(Promise.all(this.#names.keys()), limitMs, this.clock)) return
    this.log.in('stop').warning(`still running after ${limitMs} ms, not waited for any longer: ${[...this.#names.values()].join(', ')}`)
  }
}
