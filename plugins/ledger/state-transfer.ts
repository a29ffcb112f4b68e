import { PeerError } from '../../kernel/index.js'
import { Block, blockTransactions, canonicalBlock, decode } from '../../proto/index.js'
import { blockHash, transactionIds } from './chain.js'
import { stateBehind } from './errors.js'
import type { CommittedBlock, Height } from './ledger.js'
import type { AppliedDelta, StateReplacement, StateSnapshot, SyncableLedger } from './ledger-sync.js'
import { pauseEvery } from './pause.js'
import { PeerLedger } from './peer-ledger.js'
import { decodeDelta } from './state-delta-codec.js'
import { FillingState } from './state-replacement.js'
import type { PreparedState } from './world-state-structure.js'

const BLOCKS_BETWEEN_PAUSES = 64

/** The ledger with blocks and state as they come from other peers (spec/ledger.md §10, §13). */
export class TransferableLedger extends PeerLedger implements SyncableLedger {
  private rawWrites: Promise<unknown> = Promise.resolve()
  private rawWriteCount = 0

  stateBlock(): Height | undefined {
    return this.parts.world.block
  }

  async putRawBlock(number: Height, bytes: Uint8Array): Promise<CommittedBlock> {
    const stored = canonicalBlock(bytes)
    const block = decode(Block, stored)
    // One after the other, since the height that a block sees decides whether it raises it.
    const write = this.rawWrites.then(async (): Promise<CommittedBlock> => {
      const { chain, guard, listeners } = this.parts
      const store = () => this.storeRawBlock(number, stored, block.previousBlockHash)
      await (number < chain.height ? store() : guard.raiseHeight(number, store))
      return listeners.announce({ number, bytes: stored, info: chain.info(), executed: [] })
    })
    // The next write goes on after a failed one, whose caller has the failure.
    this.rawWrites = write.then(
      () => undefined,
      () => undefined,
    )
    return write
  }

  async verifyChain(high: Height, low: Height): Promise<Height> {
    const { chain, world } = this.parts
    await this.rawWrites
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

  private async storeRawBlock(number: Height, bytes: Uint8Array, previousBlockHash: Uint8Array): Promise<void> {
    const { store, chain } = this.parts
    const hash = blockHash(bytes)
    const batch = store.batch()
    chain.write(batch, number, bytes, hash, blockTransactions(bytes), transactionIds(bytes))
    this.rawWriteCount += 1
    const marked = number < chain.linkedFrom ? undefined : chain.markUnlinked(batch, number + 1n)
    await store.commit(batch, 'block')
    marked?.()
    chain.advance(number, hash, previousBlockHash)
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
