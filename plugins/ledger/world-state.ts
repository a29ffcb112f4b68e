import type { Namespace, Store, StoreBatch, StoreSnapshot } from '../level/index.js'
import { BucketTree, type TreeNamespaces, TreeShape } from './bucket-tree/index.js'
import { be64, readBe64 } from './bytes.js'
import { corrupt } from './errors.js'
import type { Height } from './ledger.js'
import { Raw } from './raw/index.js'
import type { LedgerSettings } from './settings.js'
import { Trie } from './trie/index.js'
import type { WorldStateStructure } from './world-state-structure.js'

const GENERATION_KEY: Uint8Array = Buffer.from('state-generation', 'latin1')
const UNUSED_KEY: Uint8Array = Buffer.from('state-unused-generation', 'latin1')
const STATE_BLOCK_KEY: Uint8Array = Buffer.from('state-block', 'latin1')
/** There if the state was not made by executing blocks up to the head, but by a transfer, which may not have completed. */
const TRANSFERRED_KEY: Uint8Array = Buffer.from('state-transferred', 'latin1')
/** Stands for "the state of no block". */
const NO_BLOCK = new Uint8Array(0)
const DELETES_AT_ONCE = 5000
const MIB = 1024 * 1024

/** One world state among those in the store. */
export interface Generation {
  readonly number: bigint
  readonly structure: WorldStateStructure
}

/**
 * Which world state is the current one, and of which block. A state that is replaced as a whole is filled as a new generation and becomes current
 * in one write, since the store cannot delete a range atomically.
 */
export class WorldState {
  private readonly shape: TreeShape
  private active: Generation
  private ofBlock: Height | undefined
  private transferred: boolean

  constructor(
    private readonly store: Store,
    private readonly meta: Namespace,
    private readonly settings: LedgerSettings,
  ) {
    this.shape = new TreeShape(settings.numBuckets, settings.maxGroupingAtEachLevel)
    this.active = this.open(this.readNumber(GENERATION_KEY) ?? 0n)
    this.ofBlock = this.readNumber(STATE_BLOCK_KEY)
    this.transferred = meta.get(TRANSFERRED_KEY) !== undefined
  }

  get structure(): WorldStateStructure {
    return this.active.structure
  }

  /** The block whose state this is. */
  get block(): Height | undefined {
    return this.ofBlock
  }

  /** Whether the last change of the state came from a transfer: its block need not be the head. */
  get isTransferred(): boolean {
    return this.transferred
  }

  /**
   * The state of a snapshot and its block, as the snapshot itself has them: a write is in the store a little before this object knows of it.
   */
  at(snapshot: StoreSnapshot): { readonly structure: WorldStateStructure; readonly block: Height | undefined } {
    const number = this.readNumber(GENERATION_KEY, snapshot) ?? 0n
    const { structure } = number === this.active.number ? this.active : this.open(number)
    return { structure, block: this.readNumber(STATE_BLOCK_KEY, snapshot) }
  }

  /** Notes in a batch of which block the state will be, and how it came about; the returned function is to be called once that is durable. */
  markBlock(batch: StoreBatch, block: Height | undefined, how: 'executed' | 'transferred'): () => void {
    const transferred = how === 'transferred'
    batch.put(this.meta, STATE_BLOCK_KEY, block === undefined ? NO_BLOCK : be64(block))
    if (transferred) batch.put(this.meta, TRANSFERRED_KEY, NO_BLOCK)
    else if (this.transferred) batch.delete(this.meta, TRANSFERRED_KEY)
    return () => {
      this.ofBlock = block
      this.transferred = transferred
    }
  }

  /** An empty generation to fill; a crash before it is activated leaves it to {@link dropUnused}. */
  async nextGeneration(): Promise<Generation> {
    await this.dropUnused()
    const number = this.active.number + 1n
    const batch = this.store.batch()
    batch.put(this.meta, UNUSED_KEY, be64(number))
    await this.store.commit(batch, 'block')
    return this.open(number)
  }

  /** Makes a generation the current one in one write; the former one is then unused. */
  async activate(generation: Generation, block: Height | undefined): Promise<void> {
    const batch = this.store.batch()
    const marked = this.markBlock(batch, block, 'transferred')
    batch.put(this.meta, GENERATION_KEY, be64(generation.number))
    batch.put(this.meta, UNUSED_KEY, be64(this.active.number))
    await this.store.commit(batch, 'block')
    this.active = generation
    marked()
  }

  /** Deletes the rows of a generation that was given up or replaced. */
  async dropUnused(): Promise<void> {
    const number = this.readNumber(UNUSED_KEY)
    if (number === undefined) return
    const { state, keys } = this.namespaces(number)
    await this.deleteAll(state)
    await this.deleteAll(keys)
    const batch = this.store.batch()
    batch.delete(this.meta, UNUSED_KEY)
    await this.store.commit(batch, 'record')
  }

  private open(number: bigint): Generation {
    const namespaces = this.namespaces(number)
    return { number, structure: this.structureIn(namespaces) }
  }

  private structureIn(namespaces: TreeNamespaces): WorldStateStructure {
    const { structure, bucketCacheSizeMiB } = this.settings
    switch (structure) {
      case 'buckettree':
        return new BucketTree(this.shape, namespaces, bucketCacheSizeMiB * MIB)
      case 'trie':
        return new Trie(namespaces.state)
      case 'raw':
        return new Raw(namespaces.state)
      default:
        return structure
    }
  }

  private namespaces(number: bigint): TreeNamespaces {
    return { state: this.store.namespace(`state-${number}`), keys: this.store.namespace(`state-keys-${number}`) }
  }

  private async deleteAll(namespace: Namespace): Promise<void> {
    for (;;) {
      const batch = this.store.batch()
      for await (const [key] of namespace.entries({ limit: DELETES_AT_ONCE })) batch.delete(namespace, key)
      if (batch.size === 0) return
      await this.store.commit(batch, 'record')
    }
  }

  private readNumber(key: Uint8Array, at?: StoreSnapshot): bigint | undefined {
    const row = this.meta.get(key, at)
    if (!row || row.length === 0) return undefined
    const number = readBe64(row)
    if (number === undefined) throw corrupt(`the row ${Buffer.from(key).toString('latin1')} has ${row.length} bytes, expected 8`)
    return number
  }
}
