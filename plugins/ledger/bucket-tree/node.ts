import { ledgerHash } from '../hash.js'
import { corrupt } from '../errors.js'
import { ByteReader, varintLength, writeVarint } from '../varint.js'

/** Child hashes of an inner node by slot; always as many as the grouping. */
export type Children = readonly (Uint8Array | undefined)[]

/** Hash of an inner node: none, passed through, or over the children present (spec/ledger.md §7.4). */
export function nodeHash(children: Children): Uint8Array | undefined {
  const present = children.filter((child) => child !== undefined)
  return present.length > 1 ? ledgerHash(...present) : present[0]
}

/** Row key of an inner node: `00 ‖ varint(level) ‖ varint(bucketNumber)` (spec/ledger.md §7.6). */
export function nodeRowKey(level: number, bucket: number): Buffer {
  const key = Buffer.allocUnsafe(INNER_NODE_ROW.length + varintLength(level) + varintLength(bucket))
  key.set(INNER_NODE_ROW)
  writeVarint(key, bucket, writeVarint(key, level, INNER_NODE_ROW.length))
  return key
}

/** First byte of the rows of inner nodes. */
export const INNER_NODE_ROW: Uint8Array = Buffer.from([0])

/** Children in the row of an inner node: `lp(child hash or empty)` for every slot. Throws ERR_LEDGER_CORRUPT if these are not `grouping` hashes. */
export function decodeNode(bytes: Uint8Array, grouping: number): (Uint8Array | undefined)[] {
  const reader = new ByteReader(bytes, (what) => corrupt(`the row of an inner node ${what}`))
  const children: (Uint8Array | undefined)[] = []
  for (let slot = 0; slot < grouping; slot += 1) {
    const child = reader.prefixed()
    children.push(child.length === 0 ? undefined : child)
  }
  if (!reader.done) throw corrupt(`the row of an inner node has more than ${grouping} slots`)
  return children
}
