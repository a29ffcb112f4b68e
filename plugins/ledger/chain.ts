import { Buffer } from 'node:buffer'
import { messageOf } from '../../kernel/index.js'
import { Block, type BlockchainInfo, Transaction, blockHashInput, blockTransactions, canonicalWithout, decode } from '../../proto/index.js'
import type { Namespace, Store, StoreBatch, StoreSnapshot } from '../level/index.js'
import { be64, readBe64, sameBytes } from './bytes.js'
import { DeployIndex } from './deploy-index.js'
import {
  BLOCK_COUNT_KEY,
  blockHashIndexKey,
  decodeBlockNumber,
  decodeLocation,
  encodeBlockNumber,
  encodeLocation,
  encodeLocations,
  txidIndexKey,
} from './encodings.js'
import { blockNotFound, corrupt, outOfBounds } from './errors.js'
import { GroupBatch, rowWith } from './group-batch.js'
import { ledgerHash } from './hash.js'
import type { Height, TransactionLocation } from './ledger.js'
import { SupersededIndex } from './superseded-index.js'

const TRANSACTIONS_FIELD = 3
const NO_BYTES = new Uint8Array(0)
/** Of ids that were looked up in vain. */
const MAX_UNKNOWN = 20_000
/** In the ledger's notes; `be64`, absent: 0. */
const UNLINKED_BELOW_KEY: Uint8Array = Buffer.from('unlinked-below', 'latin1')

/** Hash of a block as stored (spec/ledger.md §3.1). Throws WireError if it is not a block. */
export function blockHash(bytes: Uint8Array): Uint8Array {
  return ledgerHash(blockHashInput(bytes))
}

/** The ids of a stored block's transactions, in order. */
export function transactionIds(bytes: Uint8Array): string[] {
  return blockTransactions(bytes).map((transaction) => decode(Transaction, transaction).txid)
}

/** Blocks by number and the indexes to them (spec/ledger.md §5). Holds the height and the hash of the head in memory. */
export class Chain {
  private readonly blocks: Namespace
  private readonly indexes: Namespace
  private readonly deploys: DeployIndex
  private readonly laterRows: Namespace
  readonly superseded: SupersededIndex
  /** Ids that were looked up in vain since the last write: whether a transaction is new is asked before it is executed, and so not again when its block is written. */
  private readonly unknown = new Set<string>()
  private size: Height
  private unlinkedBelow: Height
  private headHash: Uint8Array | undefined
  private beforeHeadHash: Uint8Array | undefined

  /** Reads the height. Throws ERR_LEDGER_CORRUPT if that cannot be read. `meta` holds the ledger's own notes. */
  constructor(
    store: Store,
    private readonly meta: Namespace,
  ) {
    this.blocks = store.namespace('blocks')
    this.indexes = store.namespace('indexes')
    this.deploys = new DeployIndex(store)
    this.laterRows = store.namespace('later-transactions')
    this.superseded = new SupersededIndex(store, meta)
    this.size = numberIn(this.blocks.get(BLOCK_COUNT_KEY), "the chain's height")
    this.unlinkedBelow = numberIn(meta.get(UNLINKED_BELOW_KEY), 'the lowest block known to be linked')
  }

  /** Reads the head block. Throws ERR_LEDGER_CORRUPT if it is missing, unreadable, or not in the index of block hashes. */
  loadHead(): void {
    const { size } = this
    if (size === 0n) return
    const number = size - 1n
    const head = this.read(number)
    if (!head) throw corrupt(`the height is ${size}, but block ${number} is missing`)
    try {
      this.headHash = blockHash(head)
      this.beforeHeadHash = presentBytes(decode(Block, head).previousBlockHash)
    } catch (cause) {
      throw corrupt(`the head block ${number} cannot be read: ${messageOf(cause)}`)
    }
    const indexed = this.numberOf(this.headHash)
    if (indexed !== number) throw corrupt(`the hash of the head block ${number} is indexed as ${indexed === undefined ? 'no block' : `block ${indexed}`}`)
  }

  /**
   * Blocks from this one on were committed here or have been found linked. Below it blocks came raw from other peers, in any order: some may be
   * missing, or belong to another chain, until the transfer has completed.
   */
  get linkedFrom(): Height {
    return this.unlinkedBelow
  }

  get height(): Height {
    return this.size
  }

  /** Hash of the head block; `undefined` on an empty chain. */
  get head(): Uint8Array | undefined {
    return this.headHash
  }

  info(): BlockchainInfo {
    return { height: this.size, currentBlockHash: this.headHash ?? NO_BYTES, previousBlockHash: this.beforeHeadHash ?? NO_BYTES }
  }

  /** As stored; `undefined` for a hole. Throws OutOfBounds above the head. */
  blockBytes(number: Height): Uint8Array | undefined {
    this.requireInBounds(number)
    return this.read(number)
  }

  /** As stored, now or at a moment, whatever the height is. */
  stored(number: Height, at?: StoreSnapshot): Uint8Array | undefined {
    return this.blocks.get(be64(number), at)
  }

  /** The height of a moment. */
  heightAt(at: StoreSnapshot): Height {
    return numberIn(this.blocks.get(BLOCK_COUNT_KEY, at), "the chain's height")
  }

  requireInBounds(number: Height): void {
    if (number < 0n || number >= this.size) throw outOfBounds(number, this.size)
  }

  /** Number of the block with this hash, by the index. */
  numberOf(hash: Uint8Array): Height | undefined {
    const row = this.indexes.get(blockHashIndexKey(hash))
    return row ? decodeBlockNumber(row) : undefined
  }

  /** Throws BlockNotFound if no stored block has this hash. */
  bytesByHash(hash: Uint8Array): Uint8Array {
    const number = this.numberOf(hash)
    const bytes = number === undefined ? undefined : this.read(number)
    if (!bytes) throw blockNotFound(hash)
    return bytes
  }

  /** Where the latest transaction of this id is, on whatever way its block came. */
  locate(txid: string, within?: StoreBatch): TransactionLocation | undefined {
    const key = txidIndexKey(txid)
    const row = rowWith(within, this.indexes, key)
    if (!row) {
      if (!within && this.unknown.size < MAX_UNKNOWN) this.unknown.add(txid)
      return undefined
    }
    const location = decodeLocation(row)
    const laterRow = rowWith(within, this.laterRows, key)
    const later = laterRow && decodeLocation(laterRow)
    return later && later.block > location.block && this.readAt(later, txid, within) ? later : location
  }

  /** Where the transaction with these very bytes is, whatever later ones have its id; `undefined`: it is not in the chain. */
  locateBytes(txid: string, bytes: Uint8Array): TransactionLocation | undefined {
    const latest = this.locate(txid)
    if (!latest) return undefined
    const isAt = (location: TransactionLocation): boolean => sameBytes(this.transactionAt(location), bytes)
    if (isAt(latest)) return latest
    const superseded = this.superseded.locate(bytes)
    return superseded && isAt(superseded) ? superseded : undefined
  }

  transactionBytes(txid: string): Uint8Array | undefined {
    return this.transactionAt(this.locate(txid))
  }

  locateDeploy(name: string): TransactionLocation | undefined {
    return this.deploys.locate(name)
  }

  deployBytes(name: string): Uint8Array | undefined {
    return this.transactionAt(this.locateDeploy(name))
  }

  /**
   * Puts a block, its index rows and, if the chain grows, the height. `transactions` are those of the block, `txids` theirs. Several blocks may go into
   * one {@link GroupBatch}, as if each had been written before the next.
   */
  write(batch: StoreBatch, number: Height, bytes: Uint8Array, hash: Uint8Array, transactions: readonly Uint8Array[], txids: readonly string[]): void {
    const height = this.heightWith(batch)
    batch.put(this.blocks, be64(number), bytes)
    if (number >= height) batch.put(this.blocks, BLOCK_COUNT_KEY, be64(number + 1n))
    batch.put(this.indexes, blockHashIndexKey(hash), encodeBlockNumber(number))
    this.indexTransactions(batch, number, transactions, txids)
    this.deploys.write(batch, number, transactions, number < height)
  }

  /** Notes in a batch that nothing is known of the links below `number`; the returned function is to be called once that is durable. */
  markUnlinked(batch: StoreBatch, number: Height): () => void {
    batch.put(this.meta, UNLINKED_BELOW_KEY, be64(number))
    return () => {
      this.unlinkedBelow = number
    }
  }

  /** To be called once a written block is durable (spec/ledger.md §3.3). */
  advance(number: Height, hash: Uint8Array, previousBlockHash: Uint8Array | undefined): void {
    this.unknown.clear()
    // A transfer may put another block in the place of the head.
    if (number + 1n < this.size) return
    this.size = number + 1n
    this.headHash = hash
    this.beforeHeadHash = presentBytes(previousBlockHash)
  }

  /** The lowest block that is connected to `high`; `high` itself is taken as good (spec/ledger.md §10 verifyChain). */
  async verify(high: Height, low: Height, pause: () => Promise<void>): Promise<Height> {
    this.requireInBounds(high)
    if (high < low) throw outOfBounds(low, this.size)
    let upper = this.read(high)
    if (!upper) throw corrupt(`block ${high} is missing`)
    for (let number = high; number > low; number -= 1n) {
      const lower = this.read(number - 1n)
      if (!lower || !links(upper, lower)) return number
      upper = lower
      await pause()
    }
    return low
  }

  private heightWith(batch: StoreBatch): Height {
    return batch instanceof GroupBatch ? numberIn(batch.read(this.blocks, BLOCK_COUNT_KEY), "the chain's height") : this.size
  }

  /** One after the other, so that the latest wins where an id repeats; what that one supersedes is still found by its bytes. */
  private indexTransactions(batch: StoreBatch, block: Height, transactions: readonly Uint8Array[], txids: readonly string[]): void {
    /** Of this block, by id: what is in a plain batch cannot be read. */
    const earlier = new Map<string, number>()
    for (const [index, row] of encodeLocations(block, txids.length).entries()) {
      const txid = txids[index] ?? ''
      const bytes = transactions[index] ?? NO_BYTES
      const known = this.unknown.delete(txid) ? undefined : this.found(batch, block, txid, transactions, earlier.get(txid))
      earlier.set(txid, index)
      if (known && known.location.block > block) {
        // Blocks of a transfer come newest first. The rows of the index are those of v0.6, the last one written: what is later has a row of its own.
        batch.put(this.laterRows, txidIndexKey(txid), encodeLocation(known.location))
        if (!sameBytes(known.bytes, bytes)) this.superseded.write(batch, bytes, { block, index })
      } else if (known && !sameBytes(known.bytes, bytes)) this.superseded.write(batch, known.bytes, known.location)
      batch.put(this.indexes, txidIndexKey(txid), row)
    }
  }

  /** The latest transaction of an id, as far as it is known before another one of `block` is indexed. A row may be of a block that gave way to another. */
  private found(
    batch: StoreBatch,
    block: Height,
    txid: string,
    own: readonly Uint8Array[],
    earlier: number | undefined,
  ): { readonly location: TransactionLocation; readonly bytes: Uint8Array } | undefined {
    const isOwn = earlier !== undefined && !(batch instanceof GroupBatch)
    const location = isOwn ? { block, index: earlier } : this.locate(txid, batch)
    const bytes = isOwn ? own[earlier] : location && this.readAt(location, txid, batch)
    return location && bytes && { location, bytes }
  }

  /** The transaction at a location, if it has this id. */
  private readAt(location: TransactionLocation, txid: string, within?: StoreBatch): Uint8Array | undefined {
    const bytes = this.transactionAt(location, within)
    return bytes && decode(Transaction, bytes).txid === txid ? bytes : undefined
  }

  private transactionAt(location: TransactionLocation | undefined, within?: StoreBatch): Uint8Array | undefined {
    const block = location && rowWith(within, this.blocks, be64(location.block))
    return block && blockTransactions(block)[location.index]
  }

  private read(number: Height): Uint8Array | undefined {
    return this.blocks.get(be64(number))
  }
}

/** The hash that a block names as that of the block before; its transactions, most of it, are not decoded. Throws WireError. */
function previousHash(bytes: Uint8Array): Uint8Array {
  return decode(Block, canonicalWithout(Block, bytes, TRANSACTIONS_FIELD)).previousBlockHash
}

/** Whether `upper` names the hash of `lower`. A block that cannot be read does not link. */
export function links(upper: Uint8Array, lower: Uint8Array): boolean {
  try {
    return Buffer.compare(previousHash(upper), blockHash(lower)) === 0
  } catch (thrown) {
    // Blocks may have been damaged on disk: for verifyChain an unreadable block is one that does not link (spec/ledger.md §10).
    if (thrown instanceof Error) return false
    throw thrown
  }
}

function numberIn(row: Uint8Array | undefined, what: string): Height {
  const number = row ? readBe64(row) : 0n
  if (number === undefined) throw corrupt(`the row of ${what} has ${row?.length} bytes, expected 8`)
  return number
}

function presentBytes(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes?.length ? bytes : undefined
}
