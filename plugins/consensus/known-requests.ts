import type { EngineRequest } from './engine.js'
import { SlotMap } from './slot-map.js'

/** Requests by their payloads, for engines whose requests are announced first and ordered later: what was announced need not be hashed again in its batch. */
export interface KnownRequests {
  add(payload: Uint8Array, request: EngineRequest): void
  /** Once: it is expected in one batch. */
  take(payload: Uint8Array): EngineRequest | undefined
}

const MAX_KNOWN = 20_000
/** Of longer payloads a hash is cheaper than another copy. */
const MAX_KNOWN_BYTES = 2048

/** Holds the newest 20,000 of at most 2 KiB. */
export function createKnownRequests(): KnownRequests {
  const known = new SlotMap<string, EngineRequest>()
  const keyOf = (payload: Uint8Array): string => Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1')
  return {
    add(payload, request) {
      if (payload.length > MAX_KNOWN_BYTES) return
      known.set(keyOf(payload), request)
      const [oldest] = known.size > MAX_KNOWN ? known.keys() : []
      if (oldest !== undefined) known.delete(oldest)
    },
    take(payload) {
      if (payload.length > MAX_KNOWN_BYTES || known.size === 0) return undefined
      const key = keyOf(payload)
      const request = known.get(key)
      if (request) known.delete(key)
      return request
    },
  }
}
