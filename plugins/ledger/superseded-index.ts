import { blockTransactions, decode, Transaction } from '../../proto/index.js'
import type { Namespace, Store, StoreBatch } from '../level/index.js'
import { decodeLocation, encodeLocation } from './encodings.js'
import { rowWith } from './group-batch.js'
import { ledgerHash } from './hash.js'
import type { Height, TransactionLocation } from './ledger.js'
import { pauseEvery } from './pause.js'

/** In the ledger's notes: this index was there from the beginning, or has been completed. */
const COMPLETE_KEY: Uint8Array = Buffer.from('superseded-complete', 'latin1')
const MAX_PENDING_BYTES = 1024 * 1024
const BLOCKS_BETWEEN_PAUSES = 64

/** A chain with its index of txids. */
interface IndexedChain {
  readonly height: Height
  stored(number: Height): Uint8Array | undefined
  locate(txid: string): TransactionLocation | undefined
}

/**
 * Where those transactions are that the index of txids does not lead to, since a later one in the chain has the same txid: hash of the bytes -> location.
 * With both indexes it is known of every transaction whether it is in the chain; only who repeats a txid pays for it with a row.
 */
export class SupersededIndex {
  private readonly rows: Namespace

  constructor(
    private readonly store: Store,
    private readonly meta: Namespace,
  ) {
    this.rows = store.namespace('superseded-transactions')
  }

  locate(transaction: Uint8Array, within?: StoreBatch): TransactionLocation | undefined {
    const row = rowWith(within, this.rows, ledgerHash(transaction))
    return row && decodeLocation(row)
  }

  write(batch: StoreBatch, transaction: Uint8Array, location: TransactionLocation): void {
    batch.put(this.rows, ledgerHash(transaction), encodeLocation(location))
  }

  /** In a new store it is. */
  static begin(batch: StoreBatch, meta: Namespace): void {
    batch.put(meta, COMPLETE_KEY, Buffer.of(1))
  }

  get isComplete(): boolean {
    return this.meta.get(COMPLETE_KEY) !== undefined
  }

  /** Reads the whole chain, once, in a store that is older than this index. All validators have to know the same: what is executed depends on it. */
  async complete(chain: IndexedChain): Promise<void> {
    if (this.isComplete) return
    const pause = pauseEvery(BLOCKS_BETWEEN_PAUSES)
    let batch = this.store.batch()
    for (let block = 0n; block < chain.height; block += 1n) {
      const bytes = chain.stored(block)
      for (const [index, transaction] of (bytes ? blockTransactions(bytes) : []).entries()) {
        const latest = chain.locate(decode(Transaction, transaction).txid)
        if (latest?.block !== block || latest.index !== index) this.write(batch, transaction, { block, index })
      }
      if (batch.byteLength >= MAX_PENDING_BYTES) {
        await this.store.commit(batch, 'record')
        batch = this.store.batch()
      }
      await pause()
    }
    SupersededIndex.begin(batch, this.meta)
    await this.store.commit(batch, 'block')
  }
}
