import { PeerError } from '../../kernel/index.js'
import { Block, blockTransactions, canonicalBlock, decode } from '../../proto/index.js'
import { blockHash } from './chain.js'
import { stateBehind } from './errors.js'
import { GroupBatch } from './group-batch.js'
import type { Height } from './ledger.js'
import type { AppliedDelta, RawBlock, StateReplacement, StateSnapshot, SyncableLedger } from './ledger-sync.js'
import { pauseEvery } from './pause.js'
import { PeerLedger } from './peer-ledger.js'
import { decodeDelta } from './state-delta-codec.js'
import { FillingState } from './state-replacement.js'
import type { PreparedState } from './world-state-structure.js'

const BLOCKS_BETWEEN_PAUSES = 64

/** The ledger with blocks and state as they come from other peers (spec/ledger.md §10, §13). */
export class TransferableLedger extends PeerLedger implements SyncableLedger {
  private rawWriteCount = 0

  stateBlock(): Height | undefined {
    return this.parts.world.block
  }

  async putRawBlocks(blocks: readonly RawBlock[]): Promise<void> {
    if (blocks.length === 0) return
    const read = blocks.map(readRaw)
    return this.inTurn(() => {
      const { chain, guard } = this.parts
      const highest = read.reduce((high, { number }) => (number > high ? number : high), 0n)
      const store = () => this.storeRawBlocks(read, highest)
      return highest < chain.height ? store() : guard.raiseHeight(highest, store)
    })
  }

  async verifyChain(high: Height, low: Height): Promise<Height> {
    const { chain, world } = this.parts
    await this.lastWrite
    const writesBefore = this.rawWriteCount
    const connected = await chain.verify(high, low, pauseEvery(BLOCKS_BETWEEN_PAUSES))
    // From `connected` up to blocks that are known to be linked, or to the head: from now on a start may rely on it.
    const head = chain.height - 1n
    const reachesUp = high >= chain.linkedFrom || high === head
    if (reachesUp && world.block === head && connected < chain.linkedFrom && writesBefore === this.rawWriteCount) await this.noteLinked(connected)
    return connected
  }

  async applyStateDelta(bytes: Uint8Array, options: { readonly rollBackwards?: boolean } = {}): Promise<AppliedDelta> {
    const delta = decodeDelta(bytes)
    this.parts.guard.occupy('a state delta')
    const state = await this.parts.world.structure.prepare(delta, options.rollBackwards ?? false).catch((thrown: unknown) => {
      this.parts.guard.vacate()
      throw thrown
    })
    let isOpen = true
    const end = () => {
      if (!isOpen) throw new PeerError('ERR_LEDGER_BATCH_ENDED', 'the state delta has been committed or rolled back')
      isOpen = false
    }
    return {
      stateHash: state.hash,
      commit: async (block) => {
        end()
        await this.commitState(state, block).finally(() => this.parts.guard.vacate())
      },
      rollback: () => {
        end()
        this.parts.guard.vacate()
      },
    }
  }

  async deleteAllState(): Promise<void> {
    const { world } = this.parts
    this.parts.guard.occupy('a deletion of the state')
    try {
      await world.activate(await world.nextGeneration(), undefined)
      await this.parts.history.clear()
      await world.dropUnused()
    } finally {
      this.parts.guard.vacate()
    }
  }

  stateSnapshot(): StateSnapshot {
    const { store, world } = this.parts
    const snapshot = store.snapshot()
    const { structure, block } = world.at(snapshot)
    if (block === undefined) {
      void snapshot.release()
      throw stateBehind(block, this.parts.chain.height)
    }
    return { block, entries: structure.entries(snapshot), release: () => snapshot.release() }
  }

  async replaceState(): Promise<StateReplacement> {
    const { store, world } = this.parts
    this.parts.guard.occupy('a replacement of the state')
    const generation = await world.nextGeneration().catch((thrown: unknown) => {
      this.parts.guard.vacate()
      throw thrown
    })
    return new FillingState(store, generation.structure, {
      activate: async (block) => {
        this.parts.chain.requireInBounds(block)
        await world.activate(generation, block)
        await this.parts.history.clear()
      },
      ended: async () => {
        await world.dropUnused().finally(() => this.parts.guard.vacate())
      },
    })
  }

  private async noteLinked(from: Height): Promise<void> {
    const { store, chain } = this.parts
    const batch = store.batch()
    const marked = chain.markUnlinked(batch, from)
    // Before the write: a raw block that comes meanwhile raises it again, in a later write.
    marked()
    await store.commit(batch, 'block')
  }

  private async storeRawBlocks(blocks: readonly ReadBlock[], highest: Height): Promise<void> {
    const { store, chain, listeners } = this.parts
    const batch = new GroupBatch(store.batch())
    for (const { number, bytes, hash, transactions, txids } of blocks) chain.write(batch, number, bytes, hash, transactions, txids)
    this.rawWriteCount += 1
    const marked = highest < chain.linkedFrom ? undefined : chain.markUnlinked(batch, highest + 1n)
    await store.commit(batch.written, 'block')
    marked?.()
    for (const { number, bytes, hash, previousBlockHash } of blocks) {
      chain.advance(number, hash, previousBlockHash)
      listeners.announce({ number, bytes, info: chain.info(), executed: [] })
    }
  }

  private async commitState(state: PreparedState, block: Height): Promise<void> {
    this.parts.chain.requireInBounds(block)
    const batch = this.parts.store.batch()
    state.write(batch)
    const marked = this.parts.world.markBlock(batch, block, 'transferred')
    await this.parts.store.commit(batch, 'block')
    state.committed()
    marked()
  }
}

/** A block of another peer, in the form in which it is stored. */
interface ReadBlock extends RawBlock {
  readonly hash: Uint8Array
  readonly previousBlockHash: Uint8Array
  readonly transactions: readonly Uint8Array[]
  readonly txids: readonly string[]
}

/** Throws WireError. */
function readRaw({ number, bytes }: RawBlock): ReadBlock {
  const stored = canonicalBlock(bytes)
  const { previousBlockHash, transactions } = decode(Block, stored)
  return {
    number,
    bytes: stored,
    hash: blockHash(stored),
    previousBlockHash,
    transactions: blockTransactions(stored),
    txids: transactions.map(({ txid }) => txid),
  }
}
