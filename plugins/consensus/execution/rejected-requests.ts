import { hex } from '../../../proto/index.js'
import type { Store, StoreBatch } from '../../level/index.js'
import { metadataOf } from './block-metadata.js'
import type { Ledger } from '../../ledger/index.js'
import { digestOf } from '../engine/request-id.js'

/** How far back a rejected request is remembered, in blocks. The same on every validator. */
const REJECTION_WINDOW = 10_000n

/** What is said of a request that is asked for again after it was rejected. */
export const REJECTED_BEFORE = 'it was executed and rejected before'

const REJECTED = 0x72 // 'r', before the identity: number of the block
const REJECTED_IN = 0x52 // 'R', before the block's number and the identity
const SEEN_UP_TO = Buffer.from('x')
const PRUNED_AT_A_TIME = 500
const NO_HASH = new Uint8Array(0)
/** Beyond every block. */
const LAST_BLOCK = 2n ** 64n - 1n

/**
 * The requests that were executed and rejected lately, in epochs after the first: they leave no trace in the chain's own index, so they are named in the
 * metadata of their block, where whoever takes the block from others finds them too.
 */
export class RejectedRequests {
  private readonly namespace

  constructor(
    private readonly store: Store,
    private readonly ledger: Pick<Ledger, 'height' | 'block' | 'info'>,
  ) {
    this.namespace = store.namespace('consensus')
  }

  /** Whether a request with these bytes was executed and rejected in the last 10,000 blocks before the one that is being made. */
  has(bytes: Uint8Array): boolean {
    return this.blockOf(bytes) !== undefined
  }

  /** The block in which that was, under the same conditions. */
  blockOf(bytes: Uint8Array): bigint | undefined {
    const row = this.namespace.get(Buffer.concat([Buffer.of(REJECTED), digestOf(bytes)]))
    const block = row && readBlock(row, 0)
    return block !== undefined && block + REJECTION_WINDOW >= this.ledger.height() ? block : undefined
  }

  /** Adds the rejected requests of a block to the write that makes it durable. `before`: hash of the block below it, which tells whether the chain was replaced since. */
  write(batch: StoreBatch, block: bigint, rejected: readonly Uint8Array[], before = this.ledger.info().currentBlockHash): void {
    for (const identity of rejected) {
      batch.put(this.namespace, Buffer.concat([Buffer.of(REJECTED), identity]), blockBytes(block))
      batch.put(this.namespace, inBlock(block, identity), new Uint8Array(1))
    }
    batch.put(this.namespace, SEEN_UP_TO, Buffer.concat([blockBytes(block), before]))
  }

  /**
   * Reads what blocks say that did not come through `write`: those of a transfer, also in the place of own ones, or from before this peer was started.
   * `firstBlock`: the first of epoch 1. Forgets what is too old. Rejects if the store fails.
   */
  async catchUp(firstBlock: bigint): Promise<void> {
    const height = this.ledger.height()
    const oldest = height > REJECTION_WINDOW ? height - REJECTION_WINDOW : 0n
    let next = (await this.sameUpTo(firstBlock)) + 1n
    for (const bound of [firstBlock, oldest]) if (next < bound) next = bound
    while (next < height) {
      const batch = this.store.batch()
      for (let read = 0; read < PRUNED_AT_A_TIME && next < height; read++, next++)
        this.write(batch, next, metadataOf(this.ledger, next, false).rejected, this.ledger.block(next)?.previousBlockHash ?? NO_HASH)
      await this.store.commit(batch, 'record')
    }
    await this.forget(oldest)
  }

  /** The last block of which what is kept is what the chain says; -1: there is none. What blocks said that others have replaced is forgotten. */
  private async sameUpTo(firstBlock: bigint): Promise<bigint> {
    const seen = this.namespace.get(SEEN_UP_TO)
    if (seen === undefined) return -1n
    const block = readBlock(seen, 0)
    const before = this.ledger.block(block)?.previousBlockHash ?? NO_HASH
    const isSameBelow = block >= firstBlock && Buffer.compare(before, seen.subarray(8)) === 0
    if (isSameBelow && (await this.isSame(block))) return block
    await this.forget(LAST_BLOCK, isSameBelow ? block : 0n)
    return isSameBelow ? block - 1n : -1n
  }

  /** Whether what is kept of a block is what the chain says. */
  private async isSame(block: bigint): Promise<boolean> {
    const kept: string[] = []
    for await (const [key] of this.namespace.entries({ gte: inBlock(block, NO_HASH), lt: inBlock(block + 1n, NO_HASH) })) kept.push(hex(key.subarray(9)))
    const said = metadataOf(this.ledger, block, false).rejected.map(hex)
    return kept.join() === [...new Set(said)].sort().join()
  }

  /** Forgets what blocks below `oldest` said, from block `from` on. */
  private async forget(oldest: bigint, from = 0n): Promise<void> {
    const range = { gte: inBlock(from, NO_HASH), lt: inBlock(oldest, NO_HASH) }
    let batch = this.store.batch()
    for await (const [key] of this.namespace.entries(range)) {
      batch.delete(this.namespace, key)
      const identity = Buffer.concat([Buffer.of(REJECTED), key.subarray(9)])
      const row = this.namespace.get(identity)
      if (row && readBlock(row, 0) < oldest) batch.delete(this.namespace, identity)
      if (batch.size < PRUNED_AT_A_TIME) continue
      await this.store.commit(batch, 'record')
      batch = this.store.batch()
    }
    if (batch.size > 0) await this.store.commit(batch, 'record')
  }
}

function inBlock(block: bigint, identity: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(REJECTED_IN), blockBytes(block), identity])
}

function blockBytes(block: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(block)
  return bytes
}

function readBlock(bytes: Uint8Array, offset: number): bigint {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64BE(offset)
}
