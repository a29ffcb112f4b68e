import { canonicalTransaction, encode, pbft, WireError } from '../../proto/index.js'
import { type EngineRequest, requestId, shake256 } from '../consensus/index.js'

/** A request batch under its digest. `requests` are those that can be executed: what is no transaction is left out (spec/consensus.md §12.7). */
export interface Batch {
  readonly digest: string
  readonly message: pbft.RequestBatch
  readonly bytes: Uint8Array
  readonly requests: readonly EngineRequest[]
  readonly ids: ReadonlySet<string>
}

export const NOTHING: Uint8Array = new Uint8Array()

/** Base64 of the first 64 bytes of SHAKE256 over the canonical encoding (§5.3). */
export const digestOf = (canonical: Uint8Array): string => toBase64(shake256(canonical))

/** The batch that a message holds. Its digest is that of its canonical encoding, whatever bytes came. `known`: requests that were read before. */
export function toBatch(message: pbft.RequestBatch, known?: KnownRequests): Batch {
  const bytes = encode(pbft.RequestBatch, message)
  const requests = message.batch.flatMap(({ payload }) => known?.take(payload) ?? toEngineRequest(payload) ?? [])
  return { digest: digestOf(bytes), message, bytes, requests, ids: new Set(requests.map(({ id }) => id)) }
}

/** Requests by their payloads, so that what was announced need not be hashed again when it comes in a batch. */
export interface KnownRequests {
  add(payload: Uint8Array, request: EngineRequest): void
  /** Once: it is expected in one batch. */
  take(payload: Uint8Array): EngineRequest | undefined
}

const MAX_KNOWN = 20_000
/** Of longer payloads a hash is cheaper than another copy. */
const MAX_KNOWN_BYTES = 2048

export function createKnownRequests(): KnownRequests {
  const known = new Map<string, EngineRequest>()
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

/** The transaction in a request, as blocks hold it; undefined if it is none. */
export function toEngineRequest(payload: Uint8Array): EngineRequest | undefined {
  return orUndefined(() => {
    const bytes = canonicalTransaction(payload)
    return { id: requestId(bytes), bytes }
  })
}

/** The bytes that a view change is signed over: its encoding without the signature (§5.6). */
export const signedBytes = (viewChange: pbft.ViewChange): Uint8Array => encode(pbft.ViewChange, { ...viewChange, signature: NOTHING })

/** Runs a decoder on bytes from outside; undefined if they are not what it expects. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** Strict standard Base64 with padding; undefined for anything else, as the original's decoder fails. */
export function fromBase64(text: string): Uint8Array | undefined {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
  return isBase64 ? new Uint8Array(Buffer.from(text, 'base64')) : undefined
}
