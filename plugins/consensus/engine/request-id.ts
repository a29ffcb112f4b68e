import { shake256, shake256Hex } from '../../../proto/hashes.js'
import type { RequestId } from './engine.js'

const ID_LENGTH = 32

/** SHAKE256 (32 bytes). */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return shake256(ID_LENGTH, bytes)
}

/** The identity of a request: lower-case hex of SHAKE256 (32 bytes) over the transaction's canonical bytes (never the txid: a deploy's may repeat). */
export function requestId(transactionBytes: Uint8Array): RequestId {
  return shake256Hex(ID_LENGTH, transactionBytes)
}
