import { BinaryReader } from '@bufbuild/protobuf/wire'
import { shortText } from './short-text.js'

const NOTHING: Uint8Array = new Uint8Array(0)

/**
 * A reader that is used again and again, for messages whose structure has been checked: what it reads lies within them. A reader of the library costs as
 * much to make as a small message to read, and its 64-bit numbers go through a DataView.
 */
export class WireReader extends BinaryReader {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #bytes = NOTHING
  #low = 0
  #high = 0

  constructor() {
    super(NOTHING)
  }

  /** From now on it reads this. */
  of(bytes: Uint8Array): this {
    this.#bytes = bytes
    this.pos = 0
    return this
  }

  override uint32 = (): number => {
    const byte = this.#bytes[this.pos] ?? 0
    if (byte >= 0x80) {
      this.#varint()
      return this.#low
    }
    this.pos++
    return byte
  }

  override int32(): number {
    return this.uint32() | 0
  }

  override uint64(): bigint {
    this.#varint()
    return this.#high === 0 ? BigInt(this.#low) : (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  override int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  override bool(): boolean {
    this.#varint()
    return this.#low !== 0 || this.#high !== 0
  }

  override bytes(): Uint8Array {
    const length = this.uint32()
    const from = this.pos
    this.pos = from + length
    return this.#bytes.subarray(from, from + length)
  }

  override string(): string {
    const length = this.uint32()
    const from = this.pos
    const to = from + length
    this.pos = to
    return shortText(this.#bytes, from, to) ?? this.#decoder.decode(this.#bytes.subarray(from, to))
  }

  /** Messages are read in canonical form, which has no unknown fields. */
  override skip(): never {
    throw new Error('a canonical message holds an unknown field')
  }

  #varint(): void {
    const bytes = this.#bytes
    let low = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      const byte = bytes[this.pos++] ?? 0
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (7 * index)
      else if (index === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (7 * index - 32)
      if (byte < 0x80) break
    }
    this.#low = low >>> 0
    this.#high = high >>> 0
  }
}
