import type { StoreBatch, StoreSnapshot } from '../../level/index.js'
import { compositeKey } from '../encodings.js'
import type { StateEntry, StateKey } from '../ledger.js'
import type { StateDelta } from '../state-delta.js'
import { NOTHING_ELSE, type PreparedState, type StateCheck, type WorldStateStructure } from '../world-state-structure.js'
import { type Bucket, type BucketMerge, type BucketUpdate, bucketHash, mergeBucket } from './bucket.js'
import { checkTree } from './check.js'
import { type ChildChanges, changedNodeRow, nodeRowHash } from './node-row.js'
import { listRange, scanEntries, scanRange } from './scan.js'
import type { TreeShape } from './shape.js'
import { type TreeNamespaces, TreeStore } from './tree-store.js'

/** Buckets that are read from the store at the same time. */
const READS_AT_ONCE = 32

interface TouchedNode {
  readonly level: number
  readonly bucket: number
  readonly changes: ChildChanges
  /** After the changes; none: no children are left. */
  row: Uint8Array | undefined
  hash: Uint8Array | undefined
}

/** The bucket tree of v0.6 (spec/ledger.md §7): the state hash depends only on the present key-values and the shape. */
export class BucketTree implements WorldStateStructure {
  private readonly store: TreeStore
  private committedHash: Uint8Array | undefined

  /** @param cacheBytes bound of the cache of nodes and buckets; 0 or less disables it */
  constructor(
    readonly shape: TreeShape,
    readonly namespaces: TreeNamespaces,
    cacheBytes: number,
  ) {
    this.store = new TreeStore(shape, namespaces, cacheBytes)
    const root = this.store.node(0, 1)
    this.committedHash = root && nodeRowHash(root)
  }

  get hash(): Uint8Array | undefined {
    return this.committedHash
  }

  get(chaincode: StateKey, key: StateKey, at?: StoreSnapshot): Uint8Array | undefined {
    return this.store.value(chaincode, key, at)
  }

  range(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry> {
    return scanRange(this.shape, this.namespaces, { chaincode, startKey, endKey }, at)
  }

  list(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry> {
    return listRange(this.shape, this.namespaces, { chaincode, startKey, endKey }, at)
  }

  entries(at: StoreSnapshot): AsyncIterable<readonly [compositeKey: Uint8Array, value: Uint8Array]> {
    return scanEntries(this.namespaces.state, at)
  }

  check(at: StoreSnapshot, pause: () => Promise<void>): Promise<StateCheck> {
    return checkTree(this.shape, this.namespaces, at, pause)
  }

  hashContext(): Uint8Array {
    return NOTHING_ELSE
  }

  /** What has no chaincode id contributes nothing to its bucket (spec/ledger.md §7.3). */
  covers(composite: Uint8Array): boolean {
    return composite[0] !== 0
  }

  async prepare(delta: StateDelta, rollBackwards: boolean): Promise<PreparedState> {
    const updates = this.updatesByBucket(delta, rollBackwards)
    const stored = new Map<number, Bucket>()
    const missing = this.takeAtHand(updates.keys(), stored)
    if (missing.length > 0) await this.readBuckets(missing, stored)
    const merges = new Map<number, BucketMerge>()
    for (const [number, changes] of updates) merges.set(number, mergeBucket(stored.get(number) ?? [], changes))
    const nodes = this.computeNodes(merges)
    const root = nodes.at(-1)
    const hash = root ? root.hash : this.committedHash
    return {
      hash,
      write: (batch) => this.write(batch, merges, nodes),
      committed: () => {
        for (const [number, { bucket }] of merges) this.store.rememberBucket(number, bucket)
        for (const { level, bucket, row } of nodes) this.store.rememberNode(level, bucket, row)
        this.committedHash = hash
      },
    }
  }

  private updatesByBucket(delta: StateDelta, rollBackwards: boolean): Map<number, BucketUpdate[]> {
    const updates = new Map<number, BucketUpdate[]>()
    for (const { chaincode, entries } of delta.groups.values()) {
      for (const { key, value, previousValue } of entries.values()) {
        const number = this.shape.bucketOf(chaincode, key)
        const composite = compositeKey(chaincode, key)
        // By its first 00 byte, as a stored row is split: a received delta may hold a chaincode id with a 00 byte.
        let chaincodeLength = 0
        while (composite[chaincodeLength] !== 0) chaincodeLength += 1
        const update = { composite, chaincodeLength, value: rollBackwards ? previousValue : value }
        const others = updates.get(number)
        if (others) others.push(update)
        else updates.set(number, [update])
      }
    }
    return updates
  }

  /** Returns the buckets that have to be read. */
  private takeAtHand(numbers: Iterable<number>, found: Map<number, Bucket>): number[] {
    const missing: number[] = []
    for (const number of numbers) {
      const bucket = this.store.bucketAtHand(number)
      if (bucket) found.set(number, bucket)
      else missing.push(number)
    }
    return missing
  }

  private async readBuckets(numbers: readonly number[], found: Map<number, Bucket>): Promise<void> {
    for (let from = 0; from < numbers.length; from += READS_AT_ONCE) {
      const read = async (number: number) => found.set(number, await this.store.readBucket(number))
      await Promise.all(numbers.slice(from, from + READS_AT_ONCE).map(read))
    }
  }

  /** The inner nodes above the touched buckets, lowest level first, the root last; none if nothing was touched. */
  private computeNodes(merges: ReadonlyMap<number, BucketMerge>): TouchedNode[] {
    const { shape } = this
    const all: TouchedNode[] = []
    let below: Pick<TouchedNode, 'bucket' | 'hash'>[] = []
    for (const [bucket, merge] of merges) below.push({ bucket, hash: bucketHash(merge.bucket) })
    // Children of one node stand side by side, on every level.
    if (below.length > 1) below.sort((left, right) => left.bucket - right.bucket)
    for (let level = shape.lowestLevel - 1; level >= 0; level -= 1) {
      const nodes: TouchedNode[] = []
      for (const { bucket: child, hash } of below) {
        const bucket = shape.parentOf(child)
        let node = nodes.at(-1)
        if (node?.bucket !== bucket) nodes.push((node = { level, bucket, changes: [], row: undefined, hash: undefined }))
        node.changes[shape.slotOf(child)] = hash ?? null
      }
      for (const node of nodes) {
        node.row = changedNodeRow(this.store.node(level, node.bucket), node.changes, shape.grouping)
        node.hash = node.row && nodeRowHash(node.row)
        all.push(node)
      }
      below = nodes
    }
    return all
  }

  private write(batch: StoreBatch, merges: ReadonlyMap<number, BucketMerge>, nodes: readonly TouchedNode[]): void {
    for (const [number, { puts, removed }] of merges) {
      for (const { entry, isNew } of puts) this.store.putEntry(batch, number, entry, isNew)
      for (const composite of removed) this.store.deleteEntry(batch, number, composite)
    }
    for (const { level, bucket, row } of nodes) this.store.putNode(batch, level, bucket, row)
  }
}
