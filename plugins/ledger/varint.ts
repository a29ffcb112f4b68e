/** Length of `varint(value)` for a whole number below 2^53. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1
  return length
}

/** Writes `varint(value)` at `offset`; returns the offset after it. */
export function writeVarint(target: Uint8Array, value: number, offset: number): number {
  let rest = value
  let at = offset
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[at++] = rest
  return at
}

/** Length of `lp(bytes)` for a byte string of this length. */
export function prefixedLength(length: number): number {
  return varintLength(length) + length
}

/** Writes `lp(bytes)` at `offset`; returns the offset after it. */
export function writePrefixed(target: Uint8Array, bytes: Uint8Array, offset: number): number {
  const start = writeVarint(target, bytes.length, offset)
  target.set(bytes, start)
  return start + bytes.length
}

/** `varint(value)` of an unsigned 64-bit number. */
export function varintOf(value: bigint): Buffer {
  const number = Number(value)
  if (number <= Number.MAX_SAFE_INTEGER) {
    const bytes = Buffer.allocUnsafe(varintLength(number))
    writeVarint(bytes, number, 0)
    return bytes
  }
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** Reads varints and length-prefixed bytes; `fail` makes the error for input that ends too early or is malformed. */
export class ByteReader {
  offset = 0

  constructor(
    readonly bytes: Uint8Array,
    private readonly fail: (what: string) => Error,
  ) {}

  get done(): boolean {
    return this.offset >= this.bytes.length
  }

  /** An unsigned 64-bit varint of at most ten bytes. */
  varint64(): bigint {
    const first = this.bytes[this.offset]
    if (first !== undefined && first < 0x80) {
      this.offset += 1
      return BigInt(first)
    }
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.offset]
      if (byte === undefined) throw this.fail(`ends inside a varint at byte ${this.offset}`)
      this.offset += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw this.fail(`has a varint longer than ten bytes before byte ${this.offset}`)
  }

  /** A varint as a number; values above 2^53 lose precision, which no length or count can reach. */
  varint(): number {
    const first = this.bytes[this.offset]
    if (first !== undefined && first < 0x80) {
      this.offset += 1
      return first
    }
    return Number(this.varint64())
  }

  /** `lp(bytes)`, as a view of the input. */
  prefixed(): Uint8Array {
    const length = this.varint()
    const end = this.offset + length
    if (end > this.bytes.length) throw this.fail(`announces ${length} bytes at byte ${this.offset} and has ${this.bytes.length - this.offset}`)
    const view = this.bytes.subarray(this.offset, end)
    this.offset = end
    return view
  }
}
