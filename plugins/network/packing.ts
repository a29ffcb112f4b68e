import { PeerError } from '../../kernel/index.js'
import { Message_Type } from '../../proto/index.js'
import { encodeMessage } from './messages.js'

const LENGTH_BYTES = 4
/** Longer messages travel alone: packing would copy them for nothing. */
const MAX_PACKED_MESSAGE_BYTES = 32 * 1024
/** What a frame holds at most, so that a message that comes next does not wait behind a long one. */
const MAX_FRAME_BYTES = 256 * 1024

/** Packs serialised messages, in their order, into one message: each as its length (4 bytes, big-endian) and itself. */
export function pack(messages: readonly Uint8Array[]): Uint8Array {
  const payload = Buffer.allocUnsafe(messages.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0))
  let at = 0
  for (const message of messages) {
    at = payload.writeUInt32BE(message.length, at)
    payload.set(message, at)
    at += message.length
  }
  return encodeMessage(Message_Type.WEFT_PACKED, payload)
}

/** The messages of a packed one, as views, one at a time: their number is bounded by nothing but the bytes. Throws ERR_NETWORK_PACKED. */
export function* unpack(payload: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  let at = 0
  while (at < payload.length) {
    const start = at + LENGTH_BYTES
    const end = start <= payload.length ? start + view.getUint32(at) : Number.POSITIVE_INFINITY
    if (end > payload.length) throw new PeerError('ERR_NETWORK_PACKED', `a packed message ends in the middle of one: ${payload.length} bytes, cut at ${at}`)
    yield payload.subarray(start, end)
    at = end
  }
}

/** The next frame for a neighbour that takes packed ones: what waits, up to a bound, in order. Undefined: nothing waits. */
export function nextFrame(
  shift: () => Uint8Array | undefined,
  peek: () => number | undefined,
): { readonly frame: Uint8Array; readonly messages: number } | undefined {
  const first = shift()
  if (first === undefined) return undefined
  const messages = [first]
  let bytes = first.length
  if (bytes <= MAX_PACKED_MESSAGE_BYTES) {
    for (let next = peek(); next !== undefined && next <= MAX_PACKED_MESSAGE_BYTES && bytes + next <= MAX_FRAME_BYTES; next = peek()) {
      const message = shift()
      if (message === undefined) break
      messages.push(message)
      bytes += message.length
    }
  }
  return { frame: messages.length === 1 ? first : pack(messages), messages: messages.length }
}
