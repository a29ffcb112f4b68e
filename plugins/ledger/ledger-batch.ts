import { PeerError } from '../../kernel/index.js'
import type { BlockchainInfo } from '../../proto/index.js'
import type { StoreBatch } from '../level/index.js'
import type { CommittedBlock, ExecutedTransaction, LedgerBatch, StateEntry, StateKey, TransactionState } from './ledger.js'
import { StateDelta } from './state-delta.js'
import { type BatchLayers, OpenTransaction } from './transaction-state.js'
import type { PreparedState } from './world-state-structure.js'

/** Committed values remembered for the batch, so that a key that is read and then written is read from the store once. */
const MAX_REMEMBERED_READS = 20_000
const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024

/** What a batch asks of the ledger. */
export interface BatchHost {
  committed(chaincode: StateKey, key: StateKey): Uint8Array | undefined
  committedRange(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncIterable<StateEntry>
  prepare(delta: StateDelta): Promise<PreparedState>
  preview(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined, stateHash: Uint8Array | undefined): BlockchainInfo
  write(block: BlockToWrite): Promise<CommittedBlock>
  /** For the duration of commits. */
  nowMs(): number
  /** Nothing is open any longer. */
  closed(): void
}

/** A batch that is ready to become a block. */
export interface BlockToWrite {
  readonly executed: readonly ExecutedTransaction[]
  readonly metadata: Uint8Array | undefined
  readonly delta: StateDelta
  readonly state: PreparedState
  readonly also: ((batch: StoreBatch) => void) | undefined
  /** When its commit began. */
  readonly beganMs: number
}

/** The open batch: finished transactions' writes over the committed state (spec/ledger.md §6.2, §10). */
export class OpenBatch implements LedgerBatch, BatchLayers {
  readonly delta = new StateDelta()
  /** By chaincode and key. */
  private readonly reads = new Map<string, Map<string, Uint8Array | undefined>>()
  private remembered = 0
  private rememberedBytes = 0
  private isOpen = true
  private transaction: OpenTransaction | undefined
  private prepared: Promise<PreparedState> | undefined

  constructor(private readonly host: BatchHost) {}

  begin(txid: string): TransactionState {
    this.requireOpen()
    // v0.6 tells "none is open" by the empty txid and crashes on one that writes (spec/ledger.md §6.2).
    if (txid === '') throw new PeerError('ERR_LEDGER_INVALID_ARGUMENT', 'LedgerError - InvalidArgument: expected a transaction id, found an empty one')
    if (this.transaction) throw new PeerError('ERR_LEDGER_TRANSACTION_OPEN', `transaction ${this.transaction.txid} has not been finished; ${txid} cannot begin`)
    this.transaction = new OpenTransaction(txid, this)
    return this.transaction
  }

  async stateHash(): Promise<Uint8Array | undefined> {
    this.requireOpen()
    return (await this.prepare()).hash
  }

  async preview(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined): Promise<BlockchainInfo> {
    return this.host.preview(executed, metadata, await this.stateHash())
  }

  async commit(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined, also?: (batch: StoreBatch) => void): Promise<CommittedBlock> {
    this.requireOpen()
    if (this.transaction)
      throw new PeerError('ERR_LEDGER_TRANSACTION_OPEN', `transaction ${this.transaction.txid} has not been finished; the batch cannot be committed`)
    // From here on nothing can change the batch; whatever happens, it is over (spec/ledger.md §10 commitTxBatch).
    this.isOpen = false
    const beganMs = this.host.nowMs()
    try {
      return await this.host.write({ executed, metadata, delta: this.delta, state: await this.prepare(), also, beganMs })
    } finally {
      this.host.closed()
    }
  }

  rollback(): void {
    this.requireOpen()
    this.isOpen = false
    this.transaction?.abandon()
    this.transaction = undefined
    this.host.closed()
  }

  committed(chaincode: StateKey, chaincodeName: string, key: StateKey, name: string): Uint8Array | undefined {
    const reads = this.reads.get(chaincodeName) ?? new Map<string, Uint8Array | undefined>()
    const known = reads.get(name)
    if (known !== undefined || reads.has(name)) return known
    const value = this.host.committed(chaincode, key)
    if (this.remembered < MAX_REMEMBERED_READS && this.rememberedBytes < MAX_REMEMBERED_BYTES) {
      this.reads.set(chaincodeName, reads.set(name, value))
      this.remembered += 1
      this.rememberedBytes += chaincodeName.length + name.length + (value?.length ?? 0)
    }
    return value
  }

  committedRange(chaincode: StateKey, startKey: StateKey, endKey: StateKey): AsyncIterable<StateEntry> {
    return this.host.committedRange(chaincode, startKey, endKey)
  }

  ended(delta: StateDelta | undefined): void {
    this.transaction = undefined
    if (!delta || delta.isEmpty) return
    this.delta.merge(delta)
    this.prepared = undefined
  }

  /** Computed again only after changes. */
  private prepare(): Promise<PreparedState> {
    this.prepared ??= this.host.prepare(this.delta)
    return this.prepared
  }

  private requireOpen(): void {
    if (!this.isOpen) throw new PeerError('ERR_LEDGER_BATCH_ENDED', 'the batch has been committed or rolled back: open another one')
  }
}
