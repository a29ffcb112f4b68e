import type { Clock } from '../../kernel/index.js'
import { Block, type BlockchainInfo, decode } from '../../proto/index.js'
import { buildBlock, previewBlockHash } from './block-encoding.js'
import { stateBehind } from './errors.js'
import type {
  CommittedBlock,
  CommittedState,
  ExecutedTransaction,
  Height,
  Ledger,
  LedgerBatch,
  StateEntry,
  StateKey,
  TransactionLocation,
  VerifyReport,
} from './ledger.js'
import { type BlockToWrite, OpenBatch } from './ledger-batch.js'
import type { LedgerCore } from './ledger-core.js'
import type { StateDelta } from './state-delta.js'
import { verifyLedger } from './verify.js'
import type { PreparedState, WorldStateStructure } from './world-state-structure.js'

/** What a ledger is made of. */
export interface LedgerParts extends LedgerCore {
  /** Read for the local commit time of blocks and for nothing else. */
  readonly clock: Pick<Clock, 'now'>
}

/** Chain, world state and indexes over one store. */
export class PeerLedger implements Ledger {
  readonly committed: CommittedState
  /** The last write of blocks. */
  protected lastWrite: Promise<unknown> = Promise.resolve()

  constructor(protected readonly parts: LedgerParts) {
    this.committed = {
      get: (chaincode, key) => this.structure.get(chaincode, key),
      range: (chaincode, startKey, endKey) => this.committedRange(chaincode, startKey, endKey),
    }
  }

  info(): BlockchainInfo {
    return this.parts.chain.info()
  }

  height(): Height {
    return this.parts.chain.height
  }

  openBatch(): LedgerBatch {
    const { chain, world, guard } = this.parts
    const head = chain.height === 0n ? undefined : chain.height - 1n
    if (world.block !== head) throw stateBehind(world.block, chain.height)
    guard.occupy('a batch')
    return new OpenBatch({
      committed: (chaincode, key) => this.structure.get(chaincode, key),
      committedRange: (chaincode, startKey, endKey) => this.committedRange(chaincode, startKey, endKey),
      prepare: (delta) => this.prepare(delta),
      preview: (executed, metadata, stateHash) => this.preview(executed, metadata, stateHash),
      write: (block) => this.inTurn(() => this.write(block)),
      closed: () => guard.vacate(),
      nowMs: () => this.parts.counters?.elapsedMs() ?? 0,
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
    return this.parts.chain.blockBytes(number)
  }

  block(number: Height): Block | undefined {
    const bytes = this.parts.chain.blockBytes(number)
    return bytes && decode(Block, bytes)
  }

  blockByHash(hash: Uint8Array): Block {
    return decode(Block, this.parts.chain.bytesByHash(hash))
  }

  transactionBytes(txid: string): Uint8Array | undefined {
    return this.parts.chain.transactionBytes(txid)
  }

  deployBytes(name: string): Uint8Array | undefined {
    return this.parts.chain.deployBytes(name)
  }

  locate(txid: string): TransactionLocation | undefined {
    return this.parts.chain.locate(txid)
  }

  locateBytes(txid: string, bytes: Uint8Array): TransactionLocation | undefined {
    return this.parts.chain.locateBytes(txid, bytes)
  }

  stateDelta(number: Height): Uint8Array | undefined {
    this.parts.chain.requireInBounds(number)
    return this.parts.history.get(number)
  }

  stateHash(): Uint8Array | undefined {
    return this.structure.hash
  }

  onCommit(listener: (block: CommittedBlock) => void): () => void {
    return this.parts.listeners.subscribe(listener)
  }

  verify(progress?: (done: Height, total: Height) => void): Promise<VerifyReport> {
    const { store, world, chain } = this.parts
    const snapshot = store.snapshot()
    const { structure, block } = world.at(snapshot)
    return verifyLedger({ chain, structure, snapshot, height: chain.height, stateBlock: block }, progress)
  }

  /** Blocks are written one after the other: each sees the height and the indexes as the one before left them. */
  protected inTurn<T>(write: () => Promise<T>): Promise<T> {
    const written = this.lastWrite.then(write)
    // The next write goes on after a failed one, whose caller has the failure.
    this.lastWrite = written.catch(() => undefined)
    return written
  }

  private get structure(): WorldStateStructure {
    return this.parts.world.structure
  }

  private prepare(delta: StateDelta): Promise<PreparedState> {
    return this.structure.prepare(delta, false)
  }

  private preview(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined, stateHash: Uint8Array | undefined): BlockchainInfo {
    const { height, currentBlockHash } = this.parts.chain.info()
    const hash = previewBlockHash({ executed, metadata, stateHash, previousBlockHash: currentBlockHash })
    return { height: height + 1n, currentBlockHash: hash, previousBlockHash: currentBlockHash }
  }

  private async write({ executed, metadata, delta, state, also, beganMs }: BlockToWrite): Promise<CommittedBlock> {
    const { store, world, chain, history, listeners, counters, clock } = this.parts
    const number = chain.height
    const previousBlockHash = chain.head
    const { bytes, hash } = buildBlock({ executed, metadata, stateHash: state.hash, previousBlockHash }, clock.now())
    const transactions: Uint8Array[] = []
    const txids: string[] = []
    for (const transaction of executed) {
      if (transaction.result.error !== undefined) continue
      transactions.push(transaction.bytes)
      txids.push(transaction.result.txid)
    }
    const batch = store.batch()
    chain.write(batch, number, bytes, hash, transactions, txids)
    state.write(batch)
    const marked = world.markBlock(batch, number, 'executed')
    history.write(batch, number, delta)
    also?.(batch)
    await store.commit(batch, 'block')
    state.committed()
    marked()
    chain.advance(number, hash, previousBlockHash)
    counters?.committed(beganMs, bytes.length, executed)
    return listeners.announce({ number, bytes, info: chain.info(), executed })
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
}
