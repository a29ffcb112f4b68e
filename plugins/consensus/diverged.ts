import type { Store } from '../level/index.js'

const ROW = Buffer.from('z')

/**
 * That blocks of this validator differed from the others', from the moment at which theirs begin to take the place of them until an engine that was told so has
 * made a block: one that begins after a crash in between has the same records, and must be told, too.
 */
export class Diverged {
  private first: bigint | undefined
  private readonly namespace

  constructor(private readonly store: Store) {
    this.namespace = store.namespace('consensus')
    const row = this.namespace.get(ROW)
    this.first = row && Buffer.from(row.buffer, row.byteOffset, row.length).readBigUInt64BE()
  }

  /** The first block that differed, or one below it; undefined: nobody has to be told. */
  get at(): bigint | undefined {
    return this.first
  }

  /** Rejects if the store fails. */
  async began(first: bigint): Promise<void> {
    this.first = first
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(first)
    const batch = this.store.batch()
    batch.put(this.namespace, ROW, bytes)
    await this.store.commit(batch, 'record')
  }

  /** An engine that was told has made a block. Rejects if the store fails. */
  async over(): Promise<void> {
    if (this.first === undefined) return
    this.first = undefined
    const batch = this.store.batch()
    batch.delete(this.namespace, ROW)
    await this.store.commit(batch, 'record')
  }
}
