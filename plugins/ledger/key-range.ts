import type { KeyRange } from '../level/index.js'
import { compareBytes } from './bytes.js'
import { compositeKey } from './encodings.js'
import type { StateKey } from './ledger.js'

const AFTER_SEPARATOR: Uint8Array = Buffer.from([1])

/** The composite keys of one chaincode between two keys, both inclusive, empty = unbounded; `undefined` if there can be none (spec/ledger.md §6.6). */
export function chaincodeRange(chaincode: StateKey, startKey: StateKey, endKey: StateKey): KeyRange | undefined {
  if (endKey.length > 0 && compareBytes(startKey, endKey) > 0) return undefined
  const gte = compositeKey(chaincode, startKey)
  return endKey.length > 0 ? { gte, lte: compositeKey(chaincode, endKey) } : { gte, lt: Buffer.concat([chaincode, AFTER_SEPARATOR]) }
}
