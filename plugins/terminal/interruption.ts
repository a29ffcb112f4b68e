import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Listens for the signals that end a program, so that a command can still say what it found, and end what it began. */
export class Interruption {
  readonly #controller = new AbortController()
  #by: (typeof SIGNALS)[number] | undefined

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#onSignal)
  }

  /** Aborted at the first signal. A second one ends the program at once. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get by(): string | undefined {
    return this.#by
  }

  /** As shells have it: 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP; undefined if there was none. */
  get exitCode(): number | undefined {
    return this.#by === undefined ? undefined : 128 + constants.signals[this.#by]
  }

  /** Signals have their usual effects again. */
  close(): void {
    for (const name of SIGNALS) process.removeListener(name, this.#onSignal)
  }

  readonly #onSignal = (name: (typeof SIGNALS)[number]): void => {
    this.#by ??= name
    this.close()
    this.#controller.abort()
  }
}
