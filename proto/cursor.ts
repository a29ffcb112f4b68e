import { END_GROUP, FIXED32, FIXED64, LENGTH_DELIMITED, START_GROUP, VARINT } from './schema.js'
import { WireError } from './wire-error.js'

const TWO_POWER_29 = 0x20000000

/** Reads protobuf wire elements from bytes it does not own. The last varint stands in `low`, `high` and `isMinimal`, so that reading one allocates nothing. */
export class Cursor {
  position = 0
  /** Where the message that is being read ends. */
  limit: number
  /** Low 32 bits of the last varint, unsigned. */
  low = 0
  /** High 32 bits of the last varint, unsigned. */
  high = 0
  /** Whether the last varint was written in as few bytes as possible. */
  isMinimal = true

  constructor(readonly bytes: Uint8Array) {
    this.limit = bytes.length
  }

  /** Reads a varint of at most ten bytes; bits above 64 are dropped (spec/ledger.md §2.2). Throws ERR_WIRE_TRUNCATED or ERR_WIRE_VARINT. */
  varint(): void {
    const start = this.position
    let low = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      const byte = this.position < this.limit ? this.bytes[this.position] : undefined
      if (byte === undefined) throw this.truncated(start)
      this.position++
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (7 * index)
      else if (index === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (7 * index - 32)
      if (byte < 0x80) {
        this.low = low >>> 0
        this.high = high >>> 0
        this.isMinimal = index === 0 || (byte !== 0 && (index < 9 || byte === 1))
        return
      }
    }
    throw new WireError('ERR_WIRE_VARINT', `the varint at byte ${start} is longer than ten bytes`)
  }

  /** Reads a tag; the wire type is `low & 7`. Returns the field number, which may exceed 32 bits. Throws ERR_WIRE_TAG for field number 0. */
  fieldNumber(): number {
    const start = this.position
    this.varint()
    const number = this.high * TWO_POWER_29 + (this.low >>> 3)
    if (number === 0) throw new WireError('ERR_WIRE_TAG', `the field at byte ${start} has number 0, expected 1 or more`)
    return number
  }

  /** Reads a length and returns where the element of that length ends. Throws ERR_WIRE_TRUNCATED when that is beyond the message. */
  lengthDelimitedEnd(): number {
    const start = this.position
    this.varint()
    const end = this.position + this.low
    if (this.high !== 0 || end > this.limit) throw this.truncated(start)
    return end
  }

  /** Passes over the value of an unknown field. Groups may nest to any depth; their end-group numbers are not compared, as in v0.6. */
  skip(wireType: number): void {
    if (wireType !== START_GROUP) return this.skipOne(wireType)
    for (let depth = 1; depth > 0; ) {
      this.varint()
      const inner = this.low & 7
      if (inner === START_GROUP) depth++
      else if (inner === END_GROUP) depth--
      else this.skipOne(inner)
    }
  }

  private skipOne(wireType: number): void {
    if (wireType === VARINT) this.varint()
    else if (wireType === LENGTH_DELIMITED) this.position = this.lengthDelimitedEnd()
    else if (wireType === FIXED64) this.advance(8)
    else if (wireType === FIXED32) this.advance(4)
    else throw new WireError('ERR_WIRE_TAG', `wire type ${wireType} before byte ${this.position} begins no field`)
  }

  private advance(count: number): void {
    if (this.position + count > this.limit) throw this.truncated(this.position)
    this.position += count
  }

  private truncated(start: number): WireError {
    return new WireError('ERR_WIRE_TRUNCATED', `the element at byte ${start} goes beyond the end of its message at byte ${this.limit}`)
  }
}
