import { Buffer } from 'node:buffer'
import type { Namespace, StoreBatch, StoreSnapshot } from '../../level/index.js'
import { orderPreserving32, orderPreservingLength, writeCompositeKey, writeOrderPreserving } from '../encodings.js'
import { corrupt } from '../errors.js'
import type { StateKey } from '../ledger.js'
import type { Bucket, BucketEntry } from './bucket.js'
import { ByteCache } from './cache.js'
import { nodeRowKey } from './node.js'
import { checkNodeRow, hasChild } from './node-row.js'
import type { TreeShape } from './shape.js'

/** Where a bucket tree keeps its rows. */
export interface TreeNamespaces {
  /** Rows of spec/ledger.md §7.6. */
  readonly state: Namespace
  /** Composite key to nothing: finds the keys of a chaincode in a range. Changes only when a key appears or disappears. */
  readonly keys: Namespace
}

const NO_ENTRIES: Bucket = Object.freeze([])
const NOTHING = new Uint8Array(0)

// What an object, its array slot and its Buffer headers take besides the bytes; only has to be of the right size.
const ENTRY_OVERHEAD_BYTES = 200
const NODE_OVERHEAD_BYTES = 250

/** Reads and writes the rows of a bucket tree through a cache of inner nodes and buckets. */
export class TreeStore {
  /** Rows of inner nodes. */
  private readonly nodes: ByteCache<Uint8Array>
  private readonly buckets: ByteCache<Bucket>

  constructor(
    readonly shape: TreeShape,
    readonly namespaces: TreeNamespaces,
    cacheBytes: number,
  ) {
    this.nodes = new ByteCache(cacheBytes / 2)
    this.buckets = new ByteCache(cacheBytes / 2)
  }

  value(chaincode: StateKey, key: StateKey, at?: StoreSnapshot): Uint8Array | undefined {
    const bucket = this.shape.bucketOf(chaincode, key)
    const from = orderPreservingLength(bucket)
    const rowKey = Buffer.allocUnsafe(from + chaincode.length + 1 + key.length)
    writeOrderPreserving(rowKey, bucket)
    writeCompositeKey(rowKey, chaincode, key, from)
    return this.namespaces.state.get(rowKey, at)
  }

  /** Row of an inner node; `undefined` if it has no children. */
  node(level: number, bucket: number): Uint8Array | undefined {
    const id = this.shape.nodeNumber(level, bucket)
    const cached = this.nodes.get(id)
    if (cached) return cached
    // The parent's slot tells that there is no such node, without reading.
    if (level > 0 && !this.hasHash(level, bucket)) return undefined
    const row = this.namespaces.state.get(nodeRowKey(level, bucket))
    if (!row) {
      if (level > 0) throw corrupt(`the state has no row for node ${bucket} of level ${level}, whose parent holds a hash of it`)
      return undefined
    }
    checkNodeRow(row, this.shape.grouping)
    this.nodes.set(id, row, NODE_OVERHEAD_BYTES + row.length)
    return row
  }

  /** The bucket if that is known without waiting: from the cache, or because it is empty. */
  bucketAtHand(number: number): Bucket | undefined {
    return this.buckets.get(number) ?? (this.hasHash(this.shape.lowestLevel, number) ? undefined : NO_ENTRIES)
  }

  async readBucket(number: number): Promise<Bucket> {
    const from = orderPreserving32(number)
    const entries: BucketEntry[] = []
    for await (const [rowKey, value] of this.namespaces.state.entries({ gte: from, lt: orderPreserving32(number + 1) })) {
      const composite = rowKey.subarray(from.length)
      entries.push({ composite, chaincodeLength: composite.indexOf(0), value })
    }
    this.buckets.set(number, entries, bucketBytes(entries))
    return entries
  }

  /** No row: the node has no children any more. */
  putNode(batch: StoreBatch, level: number, bucket: number, row: Uint8Array | undefined): void {
    const rowKey = nodeRowKey(level, bucket)
    if (row) batch.put(this.namespaces.state, rowKey, row)
    else batch.delete(this.namespaces.state, rowKey)
  }

  putEntry(batch: StoreBatch, bucket: number, entry: BucketEntry, isNew: boolean): void {
    batch.put(this.namespaces.state, entryRowKey(bucket, entry.composite), entry.value)
    if (isNew) batch.put(this.namespaces.keys, entry.composite, NOTHING)
  }

  deleteEntry(batch: StoreBatch, bucket: number, composite: Uint8Array): void {
    batch.delete(this.namespaces.state, entryRowKey(bucket, composite))
    batch.delete(this.namespaces.keys, composite)
  }

  /** Makes the cache agree with rows that have just become durable. */
  rememberNode(level: number, bucket: number, row: Uint8Array | undefined): void {
    const id = this.shape.nodeNumber(level, bucket)
    if (row) this.nodes.set(id, row, NODE_OVERHEAD_BYTES + row.length)
    else this.nodes.delete(id)
  }

  rememberBucket(number: number, bucket: Bucket): void {
    this.buckets.set(number, bucket, bucketBytes(bucket))
  }

  private hasHash(level: number, bucket: number): boolean {
    const parent = this.node(level - 1, this.shape.parentOf(bucket))
    return parent !== undefined && hasChild(parent, this.shape.slotOf(bucket))
  }
}

/** Row key of a key-value: `opv(bucketNumber) ‖ compositeKey` (spec/ledger.md §7.6). */
export function entryRowKey(bucket: number, composite: Uint8Array): Buffer {
  const rowKey = Buffer.allocUnsafe(orderPreservingLength(bucket) + composite.length)
  rowKey.set(composite, writeOrderPreserving(rowKey, bucket))
  return rowKey
}

function bucketBytes(bucket: Bucket): number {
  let bytes = ENTRY_OVERHEAD_BYTES
  for (const { composite, value } of bucket) bytes += composite.length + value.length + ENTRY_OVERHEAD_BYTES
  return bytes
}
