/** Numbers from outside are below this; what is written may be twice as large, so that counting on from any of them cannot fail. */
const MAX_NUMBER = 2 ** 47
const NUMBER_BYTES = 6
const LENGTH_BYTES = 4

/** How many of the items from `first` on fit into so many items and bytes: at least one if there is one. */
export function countFitting<T>(items: readonly T[], first: number, sizeOf: (item: T) => number, maxItems: number, maxBytes: number): number {
  let bytes = 0
  const tooFar = items.slice(first, first + maxItems + 1).findIndex((item, count) => (bytes += sizeOf(item)) > maxBytes && count > 0)
  return Math.min(maxItems, tooFar < 0 ? items.length - first : tooFar)
}

/** Numbers and byte strings, as messages and records hold them. */
export interface Packed {
  readonly numbers: readonly number[]
  readonly strings: readonly Uint8Array[]
}

/** Big-endian: how many numbers in 4 bytes, the numbers in 6 bytes each, and each string behind its length in 4. */
export function pack(numbers: readonly number[], strings: readonly Uint8Array[] = []): Uint8Array {
  const head = Buffer.alloc(LENGTH_BYTES + numbers.length * NUMBER_BYTES)
  head.writeUInt32BE(numbers.length)
  for (const [place, number] of numbers.entries()) head.writeUIntBE(number, LENGTH_BYTES + place * NUMBER_BYTES, NUMBER_BYTES)
  const lengths = strings.map(({ length }) => {
    const bytes = Buffer.alloc(LENGTH_BYTES)
    bytes.writeUInt32BE(length)
    return bytes
  })
  return Buffer.concat([head, ...strings.flatMap((bytes, place) => [lengths[place] ?? head, bytes])])
}

/** What `pack` wrote; undefined for anything else. The strings are views of the bytes. */
export function unpack(packed: Uint8Array): Packed | undefined {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  if (bytes.length < LENGTH_BYTES) return undefined
  const end = LENGTH_BYTES + bytes.readUInt32BE() * NUMBER_BYTES
  if (end > bytes.length) return undefined
  const numbers: number[] = []
  for (let at = LENGTH_BYTES; at < end; at += NUMBER_BYTES) numbers.push(bytes.readUIntBE(at, NUMBER_BYTES))
  const strings = readStrings(bytes.subarray(end))
  return strings && numbers.every((number) => number < MAX_NUMBER) ? { numbers, strings } : undefined
}

/** Strings behind their lengths; undefined if that is not what the bytes are. */
function readStrings(bytes: Buffer): Uint8Array[] | undefined {
  const strings: Uint8Array[] = []
  let at = 0
  while (bytes.length - at >= LENGTH_BYTES) {
    const start = at + LENGTH_BYTES
    at = start + bytes.readUInt32BE(at)
    if (at > bytes.length) return undefined
    strings.push(bytes.subarray(start, at))
  }
  return at === bytes.length ? strings : undefined
}
