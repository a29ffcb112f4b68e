import type { Namespace, Store, StoreBatch } from '../level/index.js'
import { be64 } from './bytes.js'
import { encodeDelta } from './state-delta-codec.js'
import type { Height } from './ledger.js'
import type { StateDelta } from './state-delta.js'

/** State deltas of the last blocks, for other peers (spec/ledger.md §6.5). */
export class DeltaHistory {
  private readonly deltas: Namespace

  constructor(
    private readonly store: Store,
    private readonly size: number,
  ) {
    this.deltas = store.namespace('deltas')
  }

  get(number: Height): Uint8Array | undefined {
    return this.deltas.get(be64(number))
  }

  /** Puts the delta of a block and deletes the one that leaves the history. */
  write(batch: StoreBatch, number: Height, delta: StateDelta): void {
    if (this.size > 0) batch.put(this.deltas, be64(number), encodeDelta(delta))
    if (this.size > 0 && number >= BigInt(this.size)) batch.delete(this.deltas, be64(number - BigInt(this.size)))
  }

  /** Deletes what a longer history left behind. */
  async prune(height: Height): Promise<void> {
    const first = height > BigInt(this.size) ? height - BigInt(this.size) : 0n
    if (first > 0n) await this.deleteBelow(be64(first))
  }

  /** Deletes all deltas. */
  async clear(): Promise<void> {
    await this.deleteBelow(undefined)
  }

  private async deleteBelow(lt: Uint8Array | undefined): Promise<void> {
    const batch = this.store.batch()
    for await (const [key] of this.deltas.entries(lt ? { lt } : {})) batch.delete(this.deltas, key)
    if (batch.size > 0) await this.store.commit(batch, 'record')
  }
}
