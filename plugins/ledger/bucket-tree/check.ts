import type { StoreSnapshot } from '../../level/index.js'
import { compareBytes, sameBytes, shortHex } from '../bytes.js'
import { splitCompositeKey } from '../encodings.js'
import type { StateCheck } from '../world-state-structure.js'
import { type BucketEntry, bucketHash } from './bucket.js'
import { INNER_NODE_ROW, decodeNode, nodeHash, nodeRowKey } from './node.js'
import type { TreeShape } from './shape.js'
import { type TreeNamespaces, entryRowKey } from './tree-store.js'

/** Faults listed; further ones are only counted by the caller's hash comparison. */
const MAX_FAULTS = 100
const ROWS_BETWEEN_PAUSES = 1000

/**
 * Computes the whole tree from its key-values, one bucket and one path to the root in memory at a time, and compares every inner row, every bucket
 * number and the key index with it.
 */
export async function checkTree(shape: TreeShape, namespaces: TreeNamespaces, at: StoreSnapshot, pause: () => Promise<void>): Promise<StateCheck> {
  const check = new TreeCheck(shape, namespaces, at)
  let rows = 0
  for await (const [rowKey, value] of namespaces.state.entries({ gte: FIRST_ENTRY_ROW }, at)) {
    check.entry(rowKey, value)
    if (++rows % ROWS_BETWEEN_PAUSES === 0) await pause()
  }
  check.finish()
  await check.countRows(pause)
  return { hash: check.rootHash, keysChecked: BigInt(rows), faults: check.faults }
}

const FIRST_ENTRY_ROW: Uint8Array = Buffer.from([1])

class TreeCheck {
  readonly faults: { where: string; what: string }[] = []
  rootHash: Uint8Array | undefined
  private bucketNumber = 0
  private entries: BucketEntry[] = []
  /** The node of each inner level that is being filled, by level. */
  private readonly open: ({ bucket: number; children: (Uint8Array | undefined)[] } | undefined)[] = []
  private keyCount = 0
  private nodeCount = 0

  constructor(
    private readonly shape: TreeShape,
    private readonly namespaces: TreeNamespaces,
    private readonly at: StoreSnapshot,
  ) {}

  entry(rowKey: Uint8Array, value: Uint8Array): void {
    const numberLength = rowKey[0] ?? 0
    const composite = rowKey.subarray(1 + numberLength)
    const where = `state key ${shortHex(composite)}`
    if (composite.indexOf(0) < 0) {
      this.fault(`state row ${shortHex(rowKey)}`, 'expected a composite key with a 00 byte, found none')
      return
    }
    const { chaincode, key } = splitCompositeKey(composite)
    const bucket = this.shape.bucketOf(chaincode, key)
    if (compareBytes(rowKey, entryRowKey(bucket, composite)) !== 0) {
      this.fault(where, `expected it in bucket ${bucket}, found it in row ${shortHex(rowKey)}`)
      return
    }
    if (this.namespaces.keys.get(composite, this.at) === undefined) this.fault(where, 'expected it in the index of keys, found it missing there')
    this.keyCount += 1
    if (bucket !== this.bucketNumber) this.closeBucket()
    this.bucketNumber = bucket
    this.entries.push({ composite, chaincodeLength: chaincode.length, value })
  }

  finish(): void {
    this.closeBucket()
    for (let level = this.shape.lowestLevel - 1; level >= 0; level -= 1) this.closeNode(level)
  }

  /** Rows that the key-values do not account for. */
  async countRows(pause: () => Promise<void>): Promise<void> {
    const nodes = await this.count(this.namespaces.state.entries({ gte: INNER_NODE_ROW, lt: FIRST_ENTRY_ROW }, this.at), pause)
    if (nodes !== this.nodeCount) this.fault('state tree', `expected ${this.nodeCount} inner nodes, found ${nodes} rows`)
    const keys = await this.count(this.namespaces.keys.entries({}, this.at), pause)
    if (keys !== this.keyCount) this.fault('index of keys', `expected ${this.keyCount} keys, found ${keys}`)
  }

  private async count(rows: AsyncIterable<unknown>, pause: () => Promise<void>): Promise<number> {
    let count = 0
    for await (const _ of rows) if (++count % ROWS_BETWEEN_PAUSES === 0) await pause()
    return count
  }

  private closeBucket(): void {
    if (this.entries.length > 0) this.setChild(this.shape.lowestLevel, this.bucketNumber, bucketHash(this.entries))
    this.entries = []
  }

  /** Puts a hash into the parent of a node; buckets come in ascending order, so a new parent completes the one before it. */
  private setChild(level: number, bucket: number, hash: Uint8Array | undefined): void {
    const parentLevel = level - 1
    const parent = this.shape.parentOf(bucket)
    let node = this.open[parentLevel]
    if (node && node.bucket !== parent) {
      this.closeNode(parentLevel)
      node = undefined
    }
    if (!node) {
      node = { bucket: parent, children: Array.from({ length: this.shape.grouping }, () => undefined) }
      this.open[parentLevel] = node
    }
    node.children[this.shape.slotOf(bucket)] = hash
  }

  private closeNode(level: number): void {
    const node = this.open[level]
    if (!node) return
    this.open[level] = undefined
    const hash = nodeHash(node.children)
    if (hash !== undefined) this.nodeCount += 1
    this.compareRow(level, node.bucket, node.children)
    if (level === 0) this.rootHash = hash
    else this.setChild(level, node.bucket, hash)
  }

  private compareRow(level: number, bucket: number, children: readonly (Uint8Array | undefined)[]): void {
    const where = `state tree node ${bucket} of level ${level}`
    const row = this.namespaces.state.get(nodeRowKey(level, bucket), this.at)
    if (!row) {
      if (nodeHash(children) !== undefined) this.fault(where, 'expected a row, found none')
      return
    }
    const stored = decodeNode(row, this.shape.grouping)
    for (const [slot, child] of children.entries()) {
      if (!sameBytes(child, stored[slot])) this.fault(where, `expected hash ${shortHex(child)} in slot ${slot}, found ${shortHex(stored[slot])}`)
    }
  }

  private fault(where: string, what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ where, what })
  }
}
