/** Frame: the length of the JSON (4 bytes, big-endian), the JSON, then the bytes that it refers to. */
const HEADER_BYTES = 4
const MAX_DEPTH = 32
const COMMA = 0x2c
const BRACE = 0x7b
const BRACKET = 0x5b

/** What is written is longer than allowed; it was not put together. */
export class TooLongError extends RangeError {
  constructor(readonly bytes: number) {
    super(`a frame of ${bytes} bytes is too long`)
  }
}

/**
 * Writes a value made of plain objects, arrays, strings, numbers, booleans, bigints and Uint8Arrays. What JSON cannot say goes under keys that begin with `$`,
 * which no other object may have.
 *
 * @throws TooLongError for more than `maxBytes`, before it takes the memory for them; RangeError if there is too much for JSON
 */
export function pack(value: unknown, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  const blobs: Uint8Array[] = []
  let blobBytes = 0
  // A Buffer would turn itself into an object before a replacer sees its value: the value is taken from its owner.
  function replace(this: unknown, key: string): unknown {
    const part: unknown = Reflect.get(Object(this), key)
    if (part instanceof Uint8Array) {
      const at = blobBytes
      blobBytes += part.length
      if (blobBytes <= maxBytes) blobs.push(part)
      return { $b: [at, part.length] }
    }
    if (typeof part === 'bigint') return { $n: part.toString() }
    if (typeof part === 'number' && !Number.isFinite(part)) return { $f: String(part) }
    if (part === undefined) return { $u: 1 }
    return part
  }
  const text = JSON.stringify(value, replace)
  if (HEADER_BYTES + text.length + blobBytes > maxBytes) throw new TooLongError(HEADER_BYTES + text.length + blobBytes)
  const json = Buffer.from(text)
  const frame = new Uint8Array(HEADER_BYTES + json.length + blobBytes)
  new DataView(frame.buffer).setUint32(0, json.length)
  frame.set(json, HEADER_BYTES)
  let at = HEADER_BYTES + json.length
  for (const blob of blobs) {
    frame.set(blob, at)
    at += blob.length
  }
  return frame
}

/** What is read of a frame of somebody who may lie: a few bytes of JSON may become a hundred in memory. */
export interface UnpackLimits {
  /** Of the JSON alone. */
  readonly maxJsonBytes: number
  /** Members of objects and lists, and these themselves, about. */
  readonly maxValues: number
}

/**
 * Reads what `pack` wrote; bytes are views of the frame.
 *
 * @throws RangeError or SyntaxError for anything else
 */
export function unpack(frame: Uint8Array, limits?: UnpackLimits): unknown {
  if (frame.length < HEADER_BYTES) throw new RangeError(`a frame of ${frame.length} bytes has no header`)
  const jsonBytes = new DataView(frame.buffer, frame.byteOffset).getUint32(0)
  const end = HEADER_BYTES + jsonBytes
  if (end > frame.length) throw new RangeError(`a frame of ${frame.length} bytes announces ${jsonBytes} bytes of JSON`)
  const bytes = Buffer.from(frame.buffer, frame.byteOffset + HEADER_BYTES, jsonBytes)
  if (limits) requireModest(bytes, limits)
  const json = bytes.toString('utf8')
  const blobs = new Uint8Array(frame.buffer, frame.byteOffset + end, frame.length - end)
  const parsed: unknown = JSON.parse(json)
  return revive(parsed, blobs, 0)
}

function requireModest(json: Uint8Array, { maxJsonBytes, maxValues }: UnpackLimits): void {
  if (json.length > maxJsonBytes) throw new RangeError(`it has ${json.length} bytes beside those that it refers to, more than ${maxJsonBytes}`)
  if (json.length <= maxValues) return
  let values = 0
  for (const byte of json) {
    if (byte !== COMMA && byte !== BRACE && byte !== BRACKET) continue
    if (++values > maxValues) throw new RangeError(`it has more than ${maxValues} values`)
  }
}

function revive(value: unknown, blobs: Uint8Array, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new RangeError(`a value is deeper than ${MAX_DEPTH}`)
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    return items.map((item) => revive(item, blobs, depth + 1))
  }
  const entries = Object.entries(value)
  const [first] = entries
  if (first?.[0].startsWith('$') === true) return special(first[0], first[1], blobs)
  return Object.fromEntries(entries.map(([key, part]) => [key, revive(part, blobs, depth + 1)]))
}

function special(key: string, value: unknown, blobs: Uint8Array): unknown {
  if (key === '$b' && Array.isArray(value)) {
    const [at, length]: unknown[] = value
    if (isSize(at) && isSize(length) && at + length <= blobs.length) return blobs.subarray(at, at + length)
  }
  if (key === '$n' && typeof value === 'string' && /^-?\d{1,40}$/.test(value)) return BigInt(value)
  if (key === '$f' && (value === 'NaN' || value === 'Infinity' || value === '-Infinity')) return Number(value)
  if (key === '$u') return undefined
  throw new RangeError(`a value ${key} that means nothing`)
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
