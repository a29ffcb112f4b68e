import type { FromEngine, ToEngine } from '../messages.js'

/** What the bootstrap gives to the bundle of an engine. */
export interface Channel {
  send(message: FromEngine, maxBytes: number): void
  receive(listener: (message: ToEngine) => void): void
}
