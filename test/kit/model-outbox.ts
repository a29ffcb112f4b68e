import type { MemberIndex, VoteMark } from '../../plugins/consensus/index.js'

/** A message of an engine on its way out. */
export interface ModelMessage {
  /** Undefined: to all others. */
  readonly to: MemberIndex | undefined
  readonly bytes: Uint8Array
  readonly vote: VoteMark | undefined
}

interface Waiting {
  readonly message: ModelMessage
  /** Number of the write that has to be durable first. */
  readonly after: number
}

/** What an engine sends waits for every write that was begun before, and keeps its order. Writes become durable in order. */
export class ModelOutbox {
  #waiting: Waiting[] = []
  #begun = 0
  #durable = 0

  constructor(private readonly transmit: (message: ModelMessage) => void) {}

  beginWrite(): void {
    this.#begun += 1
  }

  /** The oldest write that is not durable has become so. */
  written(): void {
    this.#durable += 1
    let left = 0
    for (const { message, after } of this.#waiting) {
      if (after > this.#durable) break
      left += 1
      this.transmit(message)
    }
    if (left === this.#waiting.length) this.#waiting = []
    else if (left > 0) this.#waiting = this.#waiting.slice(left)
  }

  send(message: ModelMessage): void {
    if (this.#durable === this.#begun && this.#waiting.length === 0) this.transmit(message)
    else if (this.#waiting.length === 0) this.#waiting = [{ message, after: this.#begun }]
    else this.#waiting.push({ message, after: this.#begun })
  }

  /** What waits is lost. What is being written may still become durable. */
  clear(): void {
    this.#waiting = []
  }
}
