import type { ChaincodeHost } from '../../api/port.js'

/** What the bootstrap gives to a bundle: frames to and from the peer, and the few things that need Node.js. */
export interface Channel {
  /** Frames of one turn are written at once, in order. */
  send(frame: Uint8Array): void
  receive(listener: (frame: Uint8Array) => void): void
  readonly host: ChaincodeHost
  /** Longest frame that the peer takes. */
  readonly maxFrameBytes: number
}
