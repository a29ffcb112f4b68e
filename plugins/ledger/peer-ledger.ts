import { type Clock, PeerError } from '../../kernel/index.js'
import { Block, type BlockchainInfo, canonicalBlock, decode } from '../../proto/index.js'
import type { Store } from '../level/index.js'
import { buildBlock, previewBlockHash } from './block-encoding.js'
import { sameBytes, shortHex } from './bytes.js'
import { Chain, blockHash, transactionIds } from './chain.js'
import { DeltaHistory } from './delta-history.js'
import { corrupt } from './errors.js'
import { type BlockToWrite, OpenBatch } from './ledger-batch.js'
import type {
  CommittedBlock,
  CommittedState,
  ExecutedTransaction,
  Height,
  LedgerBatch,
  StateEntry,
  StateKey,
  TransactionLocation,
  VerifyReport,
} from './ledger.js'
import type { AppliedDelta, StateReplacement, StateSnapshot, SyncableLedger } from './ledger-sync.js'
import type { LedgerSettings } from './settings.js'
import type { StateDelta } from './state-delta.js'
import { decodeDelta } from './state-delta-codec.js'
import { FillingState } from './state-replacement.js'
import { pauseEvery } from './pause.js'
import { verifyLedger } from './verify.js'
import type { WorldState } from './world-state.js'
import type { PreparedState, WorldStateStructure } from './world-state-structure.js'

const A_BATCH = 'a batch'

/** What a ledger is made of. */
export interface LedgerParts {
  readonly store: Store
  readonly world: WorldState
  readonly settings: LedgerSettings
  /** Read for the local commit time of blocks and for nothing else. */
  readonly clock: Pick<Clock, 'now'>
  /** Told what a commit listener threw. */
  readonly onListenerError: (thrown: unknown) => void
}

/** Chain, world state and indexes over one store. Make one with `createLedger`. */
export class PeerLedger implements SyncableLedger {
  readonly committed: CommittedState
  private readonly chain: Chain
  private readonly history: DeltaHistory
  private readonly listeners = new Set<(block: CommittedBlock) => void>()
  /** What is open: at most one batch, applied delta or replacement at a time (spec/ledger.md §10). */
  private open: string | undefined
  private rawWrites: Promise<unknown> = Promise.resolve()

  constructor(private readonly parts: LedgerParts) {
    this.chain = new Chain(parts.store)
    this.history = new DeltaHistory(parts.store, parts.settings.deltaHistorySize)
    this.checkState()
    this.committed = {
      get: (chaincode, key) => this.structure.get(chaincode, key),
      range: (chaincode, startKey, endKey) => this.committedRange(chaincode, startKey, endKey),
    }
  }

  info(): BlockchainInfo {
    return this.chain.info()
  }

  height(): Height {
    return this.chain.height
  }

  openBatch(): LedgerBatch {
    const stateBlock = this.parts.world.block
    const head = this.chain.height === 0n ? undefined : this.chain.height - 1n
    if (stateBlock !== head) throw stateBehind(stateBlock, this.chain.height)
    this.occupy(A_BATCH)
    return new OpenBatch({
      committed: (chaincode, key) => this.structure.get(chaincode, key),
      committedRange: (chaincode, startKey, endKey) => this.committedRange(chaincode, startKey, endKey),
      prepare: (delta) => this.prepare(delta),
      preview: (executed, metadata, stateHash) => this.preview(executed, metadata, stateHash),
      write: (block) => this.write(block),
      closed: () => this.vacate(),
    })
  }

  view(): CommittedState & { release(): Promise<void> } {
    const { structure } = this
    const snapshot = this.parts.store.snapshot()
    return {
      get: (chaincode, key) => structure.get(chaincode, key, snapshot),
      range: (chaincode, startKey, endKey) => structure.range(chaincode, startKey, endKey, snapshot),
      release: () => snapshot.release(),
    }
  }

  blockBytes(number: Height): Uint8Array | undefined {
    return this.chain.blockBytes(number)
  }

  block(number: Height): Block | undefined {
    const bytes = this.chain.blockBytes(number)
    return bytes && decode(Block, bytes)
  }

  blockByHash(hash: Uint8Array): Block {
    return decode(Block, this.chain.bytesByHash(hash))
  }

  transactionBytes(txid: string): Uint8Array | undefined {
    return this.chain.transactionBytes(txid)
  }

  locate(txid: string): TransactionLocation | undefined {
    return this.chain.locate(txid)
  }

  stateDelta(number: Height): Uint8Array | undefined {
    this.chain.requireInBounds(number)
    return this.history.get(number)
  }

  stateHash(): Uint8Array | undefined {
    return this.structure.hash
  }

  onCommit(listener: (block: CommittedBlock) => void): () => void {
    // Wrapped, so that the same function subscribed twice is called twice.
    const subscription = (block: CommittedBlock) => listener(block)
    this.listeners.add(subscription)
    return () => this.listeners.delete(subscription)
  }

  verify(progress?: (done: Height, total: Height) => void): Promise<VerifyReport> {
    const { store, world } = this.parts
    return verifyLedger(
      { chain: this.chain, structure: this.structure, snapshot: store.snapshot(), height: this.chain.height, stateBlock: world.block },
      progress,
    )
  }

  stateBlock(): Height | undefined {
    return this.parts.world.block
  }

  async putRawBlock(number: Height, bytes: Uint8Array): Promise<CommittedBlock> {
    const stored = canonicalBlock(bytes)
    const block = decode(Block, stored)
    // One after the other, since the height that a block sees decides whether it raises it.
    const write = this.rawWrites.then(async (): Promise<CommittedBlock> => {
      if (number >= this.chain.height && this.open === A_BATCH) throw alreadyOpen(A_BATCH, `block ${number} cannot raise the height`)
      const hash = blockHash(stored)
      const batch = this.parts.store.batch()
      this.chain.write(batch, number, stored, hash, transactionIds(stored))
      await this.parts.store.commit(batch, 'block')
      this.chain.advance(number, hash, block.previousBlockHash)
      return this.announce({ number, bytes: stored, info: this.chain.info(), results: [] })
    })
    // The next write goes on after a failed one, whose caller has the failure.
    this.rawWrites = write.then(
      () => undefined,
      () => undefined,
    )
    return write
  }

  verifyChain(high: Height, low: Height): Promise<Height> {
    return this.chain.verify(high, low, pauseEvery(64))
  }

  async applyStateDelta(bytes: Uint8Array, options: { readonly rollBackwards?: boolean } = {}): Promise<AppliedDelta> {
    const delta = decodeDelta(bytes)
    this.occupy('a state delta')
    const state = await this.structure.prepare(delta, options.rollBackwards ?? false).catch((thrown: unknown) => {
      this.vacate()
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
        await this.commitState(state, block).finally(() => this.vacate())
      },
      rollback: () => {
        end()
        this.vacate()
      },
    }
  }

  async deleteAllState(): Promise<void> {
    const { world } = this.parts
    this.occupy('a deletion of the state')
    try {
      await world.activate(await world.nextGeneration(), undefined)
      await this.history.clear()
      await world.dropUnused()
    } finally {
      this.vacate()
    }
  }

  stateSnapshot(): StateSnapshot {
    const { store, world } = this.parts
    const block = world.block
    if (block === undefined) throw stateBehind(block, this.chain.height)
    const snapshot = store.snapshot()
    return { block, entries: this.structure.entries(snapshot), release: () => snapshot.release() }
  }

  async replaceState(): Promise<StateReplacement> {
    const { store, world } = this.parts
    this.occupy('a replacement of the state')
    const generation = await world.nextGeneration().catch((thrown: unknown) => {
      this.vacate()
      throw thrown
    })
    return new FillingState(store, generation.structure, {
      activate: async (block) => {
        await world.activate(generation, block)
        await this.history.clear()
      },
      ended: async () => {
        await world.dropUnused().finally(() => this.vacate())
      },
    })
  }

  private get structure(): WorldStateStructure {
    return this.parts.world.structure
  }

  private prepare(delta: StateDelta): Promise<PreparedState> {
    return this.structure.prepare(delta, false)
  }

  private preview(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined, stateHash: Uint8Array | undefined): BlockchainInfo {
    const { height, currentBlockHash } = this.chain.info()
    const hash = previewBlockHash({ executed, metadata, stateHash, previousBlockHash: currentBlockHash })
    return { height: height + 1n, currentBlockHash: hash, previousBlockHash: currentBlockHash }
  }

  private async write({ executed, metadata, delta, state, also }: BlockToWrite): Promise<CommittedBlock> {
    const { store, world, clock } = this.parts
    const number = this.chain.height
    const previousBlockHash = this.chain.head
    const { bytes, hash } = buildBlock({ executed, metadata, stateHash: state.hash, previousBlockHash }, clock.now())
    const succeeded = executed.filter(({ result }) => result.error === undefined)
    const batch = store.batch()
    this.chain.write(
      batch,
      number,
      bytes,
      hash,
      succeeded.map(({ result }) => result.txid),
    )
    state.write(batch)
    const marked = world.markBlock(batch, number)
    this.history.write(batch, number, delta)
    also?.(batch)
    await store.commit(batch, 'block')
    state.committed()
    marked()
    this.chain.advance(number, hash, previousBlockHash)
    return this.announce({ number, bytes, info: this.chain.info(), results: executed.map(({ result }) => result) })
  }

  private async commitState(state: PreparedState, block: Height): Promise<void> {
    const batch = this.parts.store.batch()
    state.write(batch)
    const marked = this.parts.world.markBlock(batch, block)
    await this.parts.store.commit(batch, 'block')
    state.committed()
    marked()
  }

  private announce(block: CommittedBlock): CommittedBlock {
    for (const listener of this.listeners) {
      try {
        listener(block)
      } catch (thrown) {
        this.parts.onListenerError(thrown)
      }
    }
    return block
  }

  /** Of one moment: a commit during the scan does not show. */
  private async *committedRange(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncGenerator<StateEntry> {
    const snapshot = this.parts.store.snapshot()
    try {
      yield* this.structure.range(chaincode, startKey, endKey, snapshot)
    } finally {
      await snapshot.release()
    }
  }

  private occupy(what: string): void {
    if (this.open !== undefined) throw alreadyOpen(this.open, `${what} cannot begin`)
    this.open = what
  }

  private vacate(): void {
    this.open = undefined
  }

  /** The state must be that of the block that it is said to be of (spec/ledger.md §7.7). */
  private checkState(): void {
    const block = this.parts.world.block
    const { height } = this.chain
    if (block === undefined) return
    if (block >= height) throw corrupt(`the world state is that of block ${block}, but the height is ${height}`)
    const stored = this.chain.blockBytes(block)
    // A state that was transferred may be older than the oldest block that has arrived yet.
    if (!stored) return
    const { stateHash } = decode(Block, stored)
    const expected = stateHash.length === 0 ? undefined : stateHash
    const found = this.structure.hash
    if (!sameBytes(expected, found)) throw corrupt(`block ${block} has the state hash ${shortHex(expected)}, the stored world state has ${shortHex(found)}`)
  }
}

function alreadyOpen(what: string, consequence: string): PeerError {
  return new PeerError('ERR_LEDGER_BATCH_OPEN', `${what} is open: ${consequence}`, { hint: 'commit it or roll it back first' })
}

function stateBehind(stateBlock: Height | undefined, height: Height): PeerError {
  const found = stateBlock === undefined ? 'that of no block' : `that of block ${stateBlock}`
  return new PeerError('ERR_LEDGER_STATE_BEHIND', `the height is ${height}, but the world state is ${found}`, {
    hint: 'wait until the state transfer has completed',
    details: { stateBlock, height },
    retryable: true,
  })
}
