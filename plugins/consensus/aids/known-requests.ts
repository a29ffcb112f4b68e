import { Buffer } from 'node:buffer'
import type { EngineRequest } from '../engine/engine.js'

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
  const known = new Map<string, EngineRequest>()
  // A copy of so few bytes costs less than another header for them.
  const scratch = Buffer.allocUnsafe(MAX_KNOWN_BYTES)
  const keyOf = (payload: Uint8Array): string => {
    scratch.set(payload)
    return scratch.toString('latin1', 0, payload.length)
  }
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
