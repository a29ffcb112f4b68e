import { PeerError } from '../../../kernel/index.js'
import type { StateKey } from '../ledger.js'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a 32 bit over `chaincodeID ‖ 00 ‖ key`, unsigned (spec/ledger.md §7.2). */
export function fnv1a32(chaincode: StateKey, key: StateKey): number {
  let hash = FNV_OFFSET
  for (let i = 0; i < chaincode.length; i += 1) hash = Math.imul(hash ^ (chaincode[i] ?? 0), FNV_PRIME)
  // The separating 00 byte: xor with nothing.
  hash = Math.imul(hash, FNV_PRIME)
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ (key[i] ?? 0), FNV_PRIME)
  return hash >>> 0
}

/** Levels and numbering of a bucket tree (spec/ledger.md §7.2). Level 0 is the root; buckets count from 1 at every level. */
export class TreeShape {
  /** Number of nodes of each level, root first; the last is `numBuckets`. */
  readonly levelSizes: readonly number[]
  /** Number of nodes above each level. */
  private readonly nodesAbove: readonly number[]

  /**
   * @param numBuckets buckets at the lowest level, 2..2^32-1
   * @param grouping children of a node (`maxGroupingAtEachLevel`), at least 2
   * @throws PeerError ERR_LEDGER_SETTINGS for other numbers, with which v0.6 crashes or never finishes starting
   */
  constructor(
    readonly numBuckets: number,
    readonly grouping: number,
  ) {
    requireAtLeastTwo('numBuckets', numBuckets, 0xffffffff)
    requireAtLeastTwo('maxGroupingAtEachLevel', grouping, 0xffff)
    const sizes = [numBuckets]
    for (let size = numBuckets; size > 1; ) {
      size = Math.ceil(size / grouping)
      sizes.unshift(size)
    }
    this.levelSizes = sizes
    let above = 0
    this.nodesAbove = sizes.map((size) => (above += size) - size)
  }

  /** Number of the level of the buckets. */
  get lowestLevel(): number {
    return this.levelSizes.length - 1
  }

  bucketOf(chaincode: StateKey, key: StateKey): number {
    return (fnv1a32(chaincode, key) % this.numBuckets) + 1
  }

  parentOf(bucket: number): number {
    return Math.ceil(bucket / this.grouping)
  }

  /** A node's number among all of the tree: small enough to be a fast map key. */
  nodeNumber(level: number, bucket: number): number {
    return (this.nodesAbove[level] ?? 0) + bucket
  }

  /** Slot of a node in its parent, from 0. */
  slotOf(bucket: number): number {
    return (bucket - 1) % this.grouping
  }
}

function requireAtLeastTwo(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 2 && value <= max) return
  throw new PeerError('ERR_LEDGER_SETTINGS', `expected ledger.state.dataStructure.configs.${name} to be a whole number from 2 to ${max}, found ${value}`)
}
