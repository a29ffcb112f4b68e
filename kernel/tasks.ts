import type { Clock } from './clock.js'
import { messageOf } from './errors.js'
import { endsWithin } from './limit-time.js'
import type { Logger } from './logging.js'

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
