import { BinaryWriter } from '@bufbuild/protobuf/wire'

const FIRST_BYTES = 4096
/** Kept between two messages; a larger one gives its memory back. */
const MOST_KEPT_BYTES = 65_536
/** Text up to here is looked at character by character: an encoder costs more. */
const SHORT_TEXT = 128
/** Memory that short messages share, from a length on that the engine does not keep among its own objects: a piece for each takes ten times as long to allocate and to collect. */
const SLAB_BYTES = 4096
const LEAST_SHARED_BYTES = 65
const MOST_SHARED_BYTES = 512
const MAX_UINT32 = 0xffffffff
const LOW_BITS = 0xffffffffn
const TWO_POWER_32 = 0x1_0000_0000

/** A writer that is used again and again, for one message after the other. 64-bit numbers and short text of the library's writer cost a multiple. */
export class WireWriter extends BinaryWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #at = 0
  #slab = new Uint8Array(SLAB_BYTES)
  #slabUsed = 0
  readonly #forks: number[] = []
  readonly #encoder = new TextEncoder()

  /** The message; the writer is empty again. */
  override finish(): Uint8Array<ArrayBuffer> {
    const length = this.#at
    const isShared = length >= LEAST_SHARED_BYTES && length <= MOST_SHARED_BYTES
    const written = isShared ? this.#shared(length) : this.#bytes.slice(0, length)
    this.#at = 0
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = new Uint8Array(FIRST_BYTES)
    return written
  }

  #shared(length: number): Uint8Array<ArrayBuffer> {
    if (this.#slabUsed + length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const from = this.#slabUsed
    this.#slabUsed += length
    const piece = this.#slab.subarray(from, this.#slabUsed)
    piece.set(this.#bytes.subarray(0, length))
    return piece
  }

  override fork(): this {
    this.#reserve(1)
    this.#forks.push(this.#at)
    this.#at++
    return this
  }

  override join(): this {
    const fork = this.#forks.pop()
    if (fork === undefined) throw new Error('join() without fork()')
    const length = this.#at - fork - 1
    const more = varintLength(length) - 1
    if (more > 0) {
      this.#reserve(more)
      this.#bytes.copyWithin(fork + 1 + more, fork + 1, this.#at)
    }
    this.#at = fork
    this.#varint32(length)
    this.#at += length
    return this
  }

  override raw(chunk: Uint8Array): this {
    this.#reserve(chunk.length)
    this.#bytes.set(chunk, this.#at)
    this.#at += chunk.length
    return this
  }

  override uint32(value: number): this {
    if (!(Number.isInteger(value) && value >= 0 && value <= MAX_UINT32)) throw new Error(`expected an unsigned number of 32 bits, found ${value}`)
    this.#reserve(5)
    this.#varint32(value)
    return this
  }

  override int32(value: number): this {
    if ((value | 0) !== value) throw new Error(`expected a number of 32 bits, found ${value}`)
    return value >= 0 ? this.uint32(value) : this.#varint64(value >>> 0, MAX_UINT32)
  }

  override uint64(value: string | number | bigint): this {
    const number = Number(value)
    if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return this.#varint64(number >>> 0, Math.floor(number / TWO_POWER_32))
    const exact = BigInt(value)
    if (BigInt.asUintN(64, exact) !== exact) throw new Error(`expected an unsigned number of 64 bits, found ${value}`)
    return this.#varint64(Number(exact & LOW_BITS), Number(exact >> 32n))
  }

  override int64(value: string | number | bigint): this {
    const number = BigInt(value)
    if (BigInt.asIntN(64, number) !== number) throw new Error(`expected a number of 64 bits, found ${value}`)
    return this.uint64(BigInt.asUintN(64, number))
  }

  override bool(value: boolean): this {
    this.#reserve(1)
    this.#bytes[this.#at++] = value ? 1 : 0
    return this
  }

  override bytes(value: Uint8Array): this {
    this.#reserve(5)
    this.#varint32(value.length)
    return this.raw(value)
  }

  override string(value: string): this {
    const { length } = value
    if (length <= SHORT_TEXT && this.#ascii(value)) return this
    return this.bytes(this.#encoder.encode(value))
  }

  /** False, and nothing is written: it has other characters. */
  #ascii(value: string): boolean {
    const { length } = value
    this.#reserve(length + 5)
    const bytes = this.#bytes
    const before = this.#at
    this.#varint32(length)
    let at = this.#at
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code >= 0x80) {
        this.#at = before
        return false
      }
      bytes[at++] = code
    }
    this.#at = at
    return true
  }

  /** Room for it is reserved. */
  #varint32(value: number): void {
    const bytes = this.#bytes
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) bytes[this.#at++] = (rest & 0x7f) | 0x80
    bytes[this.#at++] = rest
  }

  #varint64(low: number, high: number): this {
    this.#reserve(10)
    let rest = low
    let above = high
    for (; above > 0; above >>>= 7) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest = ((rest >>> 7) | (above << 25)) >>> 0
    }
    this.#varint32(rest)
    return this
  }

  #reserve(count: number): void {
    const needed = this.#at + count
    if (needed <= this.#bytes.length) return
    let length = this.#bytes.length * 2
    while (length < needed) length *= 2
    const larger = new Uint8Array(length)
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++
  return length
}
