import type { EngineRequest } from './engine.js'
import { requestId } from './request-id.js'

const LENGTH_BYTES = 4

/** A list of requests as bytes, for engines' messages: each one's length (4 bytes, big-endian) and its bytes. Ids are not written: whoever reads computes them. */
export function encodeRequests(requests: readonly EngineRequest[]): Uint8Array {
  const encoded = Buffer.allocUnsafe(requests.reduce((size, { bytes }) => size + LENGTH_BYTES + bytes.length, 0))
  let offset = 0
  for (const { bytes } of requests) {
    encoded.writeUInt32BE(bytes.length, offset)
    encoded.set(bytes, offset + LENGTH_BYTES)
    offset += LENGTH_BYTES + bytes.length
  }
  return encoded
}

/** Reads what `encodeRequests` wrote, ids computed from the bytes; undefined for anything else. The requests are views of `encoded`. */
export function decodeRequests(encoded: Uint8Array): EngineRequest[] | undefined {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const requests: EngineRequest[] = []
  for (let offset = 0; offset < encoded.length; ) {
    const start = offset + LENGTH_BYTES
    if (start > encoded.length) return undefined
    offset = start + view.getUint32(start - LENGTH_BYTES)
    if (offset > encoded.length) return undefined
    const bytes = encoded.subarray(start, offset)
    requests.push({ id: requestId(bytes), bytes })
  }
  return requests
}
