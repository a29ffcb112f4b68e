import { createHash } from 'node:crypto'
import type { RequestId } from './engine.js'

const SHAKE256_32 = { outputLength: 32 } as const

/** SHAKE256 (32 bytes). */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return createHash('shake256', SHAKE256_32).update(bytes).digest()
}

/** The identity of a request: lower-case hex of SHAKE256 (32 bytes) over the transaction's canonical bytes (never the txid: a deploy's may repeat). */
export function requestId(transactionBytes: Uint8Array): RequestId {
  return createHash('shake256', SHAKE256_32).update(transactionBytes).digest('hex')
}
