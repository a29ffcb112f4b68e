import type { Writable } from 'node:stream'

/** Bytes of a frame's header: the body's length, big-endian. */
const HEADER_BYTES = 4
/** Frames that are together no longer are written as one piece. */
const JOINED_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)

/** Cuts a stream of bytes into length-prefixed frames. */
export class FrameReader {
  readonly #maxBytes: number
  /** Less than a header. */
  #rest: Uint8Array = NOTHING
  /** Of the frame that has begun: long ones are put together once, where they stay. */
  #body: Uint8Array | undefined
  #filled = 0

  /** @param maxBytes longest body; a longer one is an error before it is buffered */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * Takes a chunk and returns the frames that it completes; bodies may be views of it.
   *
   * @throws RangeError if a frame announces a longer body than allowed; the stream cannot be read on
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = []
    const begun = this.#body
    let bytes = chunk
    if (begun !== undefined) {
      bytes = this.#fill(begun, chunk)
      if (this.#filled < begun.length) return frames
      this.#body = undefined
      frames.push(begun)
    }
    if (this.#rest.length > 0) bytes = joined([this.#rest, bytes])
    this.#rest = NOTHING
    while (bytes.length >= HEADER_BYTES) {
      const length = this.#bodyLength(bytes)
      if (bytes.length < HEADER_BYTES + length) {
        this.#body = new Uint8Array(length)
        this.#filled = 0
        this.#fill(this.#body, bytes.subarray(HEADER_BYTES))
        return frames
      }
      frames.push(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length))
      bytes = bytes.subarray(HEADER_BYTES + length)
    }
    // Copied: a few bytes must not hold a whole chunk.
    if (bytes.length > 0) this.#rest = Uint8Array.from(bytes)
    return frames
  }

  /** What is left of the bytes when the body has what it lacks, or they are used up. */
  #fill(body: Uint8Array, bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, body.length - this.#filled)
    body.set(taken, this.#filled)
    this.#filled += taken.length
    return bytes.subarray(taken.length)
  }

  #bodyLength(bytes: Uint8Array): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES).getUint32(0)
    if (length > this.#maxBytes) throw new RangeError(`a frame of ${length} bytes is longer than the limit of ${this.#maxBytes}`)
    return length
  }
}

/** A frame that may be kept: a copy, if it holds more than itself. */
export function keepable(frame: Uint8Array): Uint8Array {
  return frame.length === frame.buffer.byteLength && !Buffer.isBuffer(frame) ? frame : new Uint8Array(frame)
}

/** Frames ready to be written at once. */
export function joinFrames(bodies: readonly Uint8Array[]): Uint8Array {
  return joined(bodies.flatMap((body) => [headerOf(body), body]))
}

/** Writes frames to a stream; long ones as they are, without a copy. */
export function writeFrames(stream: Writable, bodies: readonly Uint8Array[]): void {
  if (bodies.reduce((total, body) => total + body.length, 0) <= JOINED_BYTES) {
    stream.write(joinFrames(bodies))
    return
  }
  stream.cork()
  for (const body of bodies) {
    stream.write(headerOf(body))
    stream.write(body)
  }
  stream.uncork()
}

function headerOf(body: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  new DataView(header.buffer).setUint32(0, body.length)
  return header
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
