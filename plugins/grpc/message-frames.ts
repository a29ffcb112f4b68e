/** Every message has a byte that says whether it is compressed, and four of length, before it. */
const HEAD_BYTES = 5

/** A frame that a server does not take. */
export interface FrameRefusal {
  readonly refusal: string
  readonly isTooLong: boolean
}

/** A message as it travels, with its head. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, HEAD_BYTES)
  return frame
}

/** Finds the messages in what an HTTP/2 stream brings, however it is cut. Holds at most one of them that is not whole, and what came in the last piece. */
export class FrameReader {
  /** What has come and is not read: the first piece from `at` on, then the others. */
  private readonly pieces: Buffer[] = []
  private at = 0
  private held = 0

  /** `maxBytes` of a message; -1: any. */
  constructor(private readonly maxBytes: number) {}

  add(piece: Buffer): void {
    if (piece.length === 0) return
    this.pieces.push(piece)
    this.held += piece.length
  }

  /** The next whole message, a view of what was received; nothing if none is whole. After a refusal there are no more. */
  next(): Buffer | FrameRefusal | undefined {
    if (this.held < HEAD_BYTES) return undefined
    let first = this.first(HEAD_BYTES)
    const length = first.readUInt32BE(this.at + 1)
    if (this.maxBytes >= 0 && length > this.maxBytes) return { refusal: `Received message larger than max (${length} vs ${this.maxBytes})`, isTooLong: true }
    const frameBytes = HEAD_BYTES + length
    if (this.held < frameBytes) return undefined
    first = this.first(frameBytes)
    if (first[this.at] !== 0) return { refusal: 'Received a compressed message on a stream without grpc-encoding', isTooLong: false }
    const end = this.at + frameBytes
    const message = first.subarray(this.at + HEAD_BYTES, end)
    this.held -= frameBytes
    this.at = end
    if (end === first.length) {
      this.pieces.shift()
      this.at = 0
    }
    return message
  }

  /** The first piece, with so many bytes to read at least: as many are held. */
  private first(bytes: number): Buffer {
    const [first = EMPTY] = this.pieces
    if (first.length - this.at >= bytes) return first
    const joined = Buffer.concat(this.pieces).subarray(this.at)
    this.pieces.length = 0
    this.pieces.push(joined)
    this.at = 0
    return joined
  }
}

const EMPTY = Buffer.alloc(0)
