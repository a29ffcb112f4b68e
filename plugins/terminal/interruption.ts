import { constants } from 'node:os'
import { PeerError } from '../../kernel/index.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Hears the signals that end a program, so that a command can still say what it found, and end what it began. */
export class Interruption {
  readonly #controller = new AbortController()
  #by: (typeof SIGNALS)[number] | undefined

  /** Signals are heard from here on, instead of ending the program. */
  listen(): this {
    for (const name of SIGNALS) process.on(name, this.#onSignal)
    return this
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

  /** What the work comes to; from the first signal on the work is left to itself, and ERR_INTERRUPTED with these words is thrown instead. */
  async during<T>(work: Promise<T>, message: string, hint?: string): Promise<T> {
    const { signal } = this.#controller
    const interrupted = new Promise<never>((_resolve, reject) => {
      const end = (): void => reject(new PeerError('ERR_INTERRUPTED', `interrupted: ${message}`, hint === undefined ? {} : { hint }))
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
    })
    return Promise.race([work, interrupted])
  }

  /** That of a command which goes on until it is interrupted: Ctrl-C is how it ends. */
  get exitCodeOfEndless(): number {
    return this.#by === 'SIGINT' ? 0 : (this.exitCode ?? 0)
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

/**
 * Runs a command that hears the signals, from before it begins. Resolves with its exit code: that of the signal if it did not come to its end. A signal that is how
 * such a command ends anyway does not make it fail.
 */
export async function interruptible(interruption: Interruption, work: () => Promise<number>): Promise<number> {
  interruption.listen()
  try {
    const code = await work()
    return code === 0 ? 0 : (interruption.exitCode ?? code)
  } finally {
    interruption.close()
  }
}
