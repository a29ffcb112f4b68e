import type { FromEngine, ToEngine } from '../messages.js'

/** What the bootstrap gives to the bundle of an engine. */
export interface Channel {
  send(message: FromEngine, maxBytes: number): void
  /** What the engine threw, with the places in its own code. */
  thrown(error: unknown): string
  receive(listener: (message: ToEngine) => void): void
}
