import { Buffer } from 'node:buffer'

/** Memory for short messages, one after the other: a piece of its own for each takes ten times as long to allocate and to collect. */
export class Slab {
  #memory = Buffer.alloc(0)
  #used = 0

  /** @param size in bytes. Who keeps a message for long keeps so much: it is to be little enough that nobody need copy it first. */
  constructor(readonly size: number) {}

  /** So many bytes, which may hold anything; memory of their own if they are more than the slab has. */
  take(length: number): Buffer {
    if (this.#used + length > this.#memory.length) {
      if (length > this.size) return Buffer.allocUnsafeSlow(length)
      this.#memory = Buffer.allocUnsafeSlow(this.size)
      this.#used = 0
    }
    this.#used += length
    return this.#memory.subarray(this.#used - length, this.#used)
  }
}
