import type { EngineRequest } from '../engine/engine.js'
import { requestId } from '../engine/request-id.js'

const NUMBER_BYTES = 6
/** Below what 6 bytes hold, so that whoever adds to a number that was read can write it again. */
const MAX_NUMBER = 2 ** 47

class Malformed extends Error {}

/** Puts values one after the other, for the messages and records of engines. `readMessage` takes them out again. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = []

  /** A whole number from 0 to 2^47, in 6 bytes. */
  number(value: number): this {
    const bytes = Buffer.allocUnsafe(NUMBER_BYTES)
    bytes.writeUIntBE(value, 0, NUMBER_BYTES)
    this.#parts.push(bytes)
    return this
  }

  /** With the length before it. */
  bytes(value: Uint8Array): this {
    this.number(value.length)
    this.#parts.push(value)
    return this
  }

  /** With the number of items before them. */
  list<T>(items: readonly T[], write: (item: T) => unknown): this {
    this.number(items.length)
    for (const item of items) write(item)
    return this
  }

  /** Without their ids: whoever reads computes them. */
  requests(requests: readonly EngineRequest[]): this {
    return this.list(requests, ({ bytes }) => this.bytes(bytes))
  }

  end(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/** Takes out, in the same order, what a `MessageWriter` put in. Made by `readMessage`. What comes out of `bytes` and `requests` are views of the message. */
export class MessageReader {
  readonly #message: Buffer
  #offset = 0

  constructor(message: Uint8Array) {
    this.#message = Buffer.from(message.buffer, message.byteOffset, message.length)
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#message.length
  }

  number(): number {
    const value = this.#take(NUMBER_BYTES).readUIntBE(0, NUMBER_BYTES)
    if (value > MAX_NUMBER) throw new Malformed()
    return value
  }

  bytes(): Uint8Array {
    return this.#take(this.number())
  }

  list<T>(read: () => T): T[] {
    const items: T[] = []
    for (let left = this.number(); left > 0; left -= 1) {
      // An item of no bytes would let a few bytes stand for billions.
      if (this.isAtEnd) throw new Malformed()
      items.push(read())
    }
    return items
  }

  requests(): EngineRequest[] {
    return this.list(() => {
      const bytes = this.bytes()
      return { id: requestId(bytes), bytes }
    })
  }

  /** The message is not what it should be: `readMessage` returns undefined. */
  refuse(): never {
    throw new Malformed()
  }

  #take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#message.length) throw new Malformed()
    const taken = this.#message.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }
}

/**
 * Reads a whole message. Undefined if it ends too early or too late, or `take` refuses it: hostile bytes cost no more than their length.
 *
 * @example
 * const vote = readMessage(bytes, (reader) => ({ view: reader.number(), signature: reader.bytes() }))
 */
export function readMessage<T>(bytes: Uint8Array, take: (reader: MessageReader) => T): T | undefined {
  try {
    const reader = new MessageReader(bytes)
    const value = take(reader)
    return reader.isAtEnd ? value : undefined
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
