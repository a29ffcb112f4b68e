import type { Namespace, StoreSnapshot } from '../../level/index.js'
import { compareBytes } from '../bytes.js'
import { splitCompositeKey } from '../encodings.js'
import { chaincodeRange } from '../key-range.js'
import type { StateEntry, StateKey } from '../ledger.js'
import { INNER_NODE_ROW } from './node.js'
import type { TreeShape } from './shape.js'
import { type TreeNamespaces, entryRowKey } from './tree-store.js'

/** Keys of one chaincode; both bounds inclusive, empty = unbounded. */
export interface ScanBounds {
  readonly chaincode: StateKey
  readonly startKey: StateKey
  readonly endKey: StateKey
}

/** More matches than these are not sorted in memory. */
export interface SortLimits {
  readonly keys: number
  readonly bytes: number
}

const SORT_LIMITS: SortLimits = Object.freeze({ keys: 100_000, bytes: 32 * 1024 * 1024 })

/** First byte of a row is the length of its bucket number: 1 or more for key-values. */
const FIRST_ENTRY_ROW: Uint8Array = Buffer.from([(INNER_NODE_ROW[0] ?? 0) + 1])

/**
 * The entries in bounds, by bucket number, then by composite key (spec/ledger.md §6.6). The index finds the matching keys, which are sorted in memory
 * and read one by one; if there are very many, the whole state is read in its order instead, so that memory stays bounded.
 */
export async function* scanRange(
  shape: TreeShape,
  namespaces: TreeNamespaces,
  bounds: ScanBounds,
  at: StoreSnapshot,
  limits: SortLimits = SORT_LIMITS,
): AsyncIterable<StateEntry> {
  const matches = await matchingKeys(shape, namespaces.keys, bounds, at, limits)
  if (!matches) {
    yield* scanAll(namespaces.state, bounds, at)
    return
  }
  for (const { rowKey, key } of matches) {
    const value = namespaces.state.get(rowKey, at)
    if (value) yield { key, value }
  }
}

/** The entries in bounds in the order of their keys; memory does not grow with their number. */
export async function* listRange(
  shape: TreeShape,
  namespaces: TreeNamespaces,
  { chaincode, startKey, endKey }: ScanBounds,
  at: StoreSnapshot,
): AsyncIterable<StateEntry> {
  const range = chaincodeRange(chaincode, startKey, endKey)
  if (!range) return
  for await (const [composite] of namespaces.keys.entries(range, at)) {
    const key = composite.subarray(chaincode.length + 1)
    const value = namespaces.state.get(entryRowKey(shape.bucketOf(chaincode, key), composite), at)
    if (value) yield { key, value }
  }
}

/** All composite keys and values in row order, without the rows of inner nodes (spec/ledger.md §7.8). */
export async function* scanEntries(state: Namespace, at: StoreSnapshot): AsyncIterable<readonly [compositeKey: Uint8Array, value: Uint8Array]> {
  for await (const [rowKey, value] of state.entries({ gte: FIRST_ENTRY_ROW }, at)) yield [rowKey.subarray(1 + (rowKey[0] ?? 0)), value]
}

interface Match {
  readonly rowKey: Uint8Array
  readonly key: Uint8Array
}

/** The matching keys in the order asked for; `undefined` if there are more than the limits allow. */
async function matchingKeys(
  shape: TreeShape,
  keys: Namespace,
  bounds: ScanBounds,
  at: StoreSnapshot,
  limits: SortLimits,
): Promise<readonly Match[] | undefined> {
  const { chaincode, startKey, endKey } = bounds
  const range = chaincodeRange(chaincode, startKey, endKey)
  if (!range) return []
  const matches: Match[] = []
  let bytes = 0
  for await (const [composite] of keys.entries(range, at)) {
    const key = composite.subarray(chaincode.length + 1)
    matches.push({ rowKey: entryRowKey(shape.bucketOf(chaincode, key), composite), key })
    bytes += composite.length
    if (matches.length > limits.keys || bytes > limits.bytes) return undefined
  }
  // Row keys begin with the order-preserving bucket number, so their order is the order asked for.
  return matches.sort((a, b) => compareBytes(a.rowKey, b.rowKey))
}

async function* scanAll(state: Namespace, { chaincode, startKey, endKey }: ScanBounds, at: StoreSnapshot): AsyncIterable<StateEntry> {
  for await (const [composite, value] of scanEntries(state, at)) {
    const found = splitCompositeKey(composite)
    if (compareBytes(found.chaincode, chaincode) !== 0 || compareBytes(found.key, startKey) < 0) continue
    if (endKey.length > 0 && compareBytes(found.key, endKey) > 0) continue
    yield { key: found.key, value }
  }
}
