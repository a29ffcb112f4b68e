import { canonicalTransaction, encode, orUndefined, pbft } from '../../proto/index.js'
import { type EngineRequest, type KnownRequests, requestId, shake256Base64 } from '../consensus/index.js'

/** A request batch under its digest. `requests` are those that can be executed: what is no transaction is left out (spec/consensus.md §12.7). */
export interface Batch {
  readonly digest: string
  readonly message: pbft.RequestBatch
  readonly bytes: Uint8Array
  readonly requests: readonly EngineRequest[]
  readonly ids: ReadonlySet<string>
}

export const NOTHING: Uint8Array = new Uint8Array()

/** The batch that a message holds. Its digest is that of its canonical encoding (§5.3), whatever bytes came. `known`: requests that were read before. */
export function toBatch(message: pbft.RequestBatch, known?: KnownRequests): Batch {
  const bytes = encode(pbft.RequestBatch, message)
  const requests = message.batch.flatMap(({ payload }) => known?.take(payload) ?? toEngineRequest(payload) ?? [])
  return { digest: shake256Base64(bytes), message, bytes, requests, ids: new Set(requests.map(({ id }) => id)) }
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

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

/** Strict standard Base64 with padding; undefined for anything else, as the original's decoder fails. */
export function fromBase64(text: string): Uint8Array | undefined {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
  return isBase64 ? new Uint8Array(Buffer.from(text, 'base64')) : undefined
}
