/** Bytes of a frame's header: the body's length, big-endian. */
const HEADER_BYTES = 4

/** Cuts a stream of bytes into length-prefixed frames. */
export class FrameReader {
  readonly #maxBytes: number
  #chunks: Uint8Array[] = []
  #buffered = 0

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
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    const needed = this.#needed()
    if (needed === undefined || this.#buffered < needed) return []
    const bytes = this.#join()
    const frames: Uint8Array[] = []
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#bodyLength(bytes, at)
      if (end > bytes.length) break
      frames.push(bytes.subarray(at + HEADER_BYTES, end))
      at = end
    }
    this.#chunks = at === bytes.length ? [] : [bytes.subarray(at)]
    this.#buffered = bytes.length - at
    return frames
  }

  /** Bytes of the first frame, once its header is there. */
  #needed(): number | undefined {
    if (this.#buffered < HEADER_BYTES) return undefined
    const first = this.#chunks[0]
    if (first === undefined || first.length < HEADER_BYTES) this.#chunks = [this.#join()]
    const head = this.#chunks[0]
    return head === undefined ? undefined : HEADER_BYTES + this.#bodyLength(head, 0)
  }

  #bodyLength(bytes: Uint8Array, at: number): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES).getUint32(0)
    if (length > this.#maxBytes) throw new RangeError(`a frame of ${length} bytes is longer than the limit of ${this.#maxBytes}`)
    return length
  }

  #join(): Uint8Array {
    const [only] = this.#chunks
    if (only !== undefined && this.#chunks.length === 1) return only
    const whole = new Uint8Array(this.#buffered)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }
}

/** Frames ready to be written at once. */
export function joinFrames(bodies: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(bodies.reduce((total, body) => total + HEADER_BYTES + body.length, 0))
  const view = new DataView(whole.buffer)
  let at = 0
  for (const body of bodies) {
    view.setUint32(at, body.length)
    whole.set(body, at + HEADER_BYTES)
    at += HEADER_BYTES + body.length
  }
  return whole
}
