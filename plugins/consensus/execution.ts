import { assert, messageOf, type Logger } from '../../kernel/index.js'
import { BlockchainInfo, decode, encode, Transaction } from '../../proto/index.js'
import type { ChaincodeSupport, OrderedTransaction } from '../chaincode/index.js'
import type { CommittedBlock, ExecutedTransaction, Ledger, LedgerBatch, LedgerSync } from '../ledger/index.js'
import type { StoreBatch } from '../level/index.js'
import type { RequestOutcomeReport } from './consensus.js'
import { blockMetadata } from './block-metadata.js'
import type { DeliveredBlock, EngineRequest, Head, RequestId, RequestOutcome } from './engine.js'
import { requestId } from './request-id.js'

/** What a host needs of the ledger. */
export type HostLedger = Pick<Ledger, 'info' | 'height' | 'openBatch' | 'block' | 'blockBytes' | 'stateHash' | 'locate' | 'transactionBytes' | 'committed'> &
  // Absent: the state is never behind the blocks.
  Partial<Pick<LedgerSync, 'stateBlock'>>
/** What a host needs of chaincode. */
export type HostChaincode = Pick<ChaincodeSupport, 'execute'>

/** A request that was executed, with its result. */
export interface ExecutedRequest {
  readonly request: EngineRequest
  readonly executed: ExecutedTransaction
}

/** The chain head as engines see it. */
export function headOf(info: BlockchainInfo): Head {
  return { height: info.height, hash: info.currentBlockHash, blob: encode(BlockchainInfo, info) }
}

/** Which requests a block may hold; decided when its batch is opened (design §4, §6). */
export interface Admission {
  readonly epoch: bigint
  /** False: enough validators have not said yet that they run the epoch's engine, so that blocks hold calls of the succession alone. */
  readonly isStarted: boolean
  /** Whether a transaction is a call of the succession. */
  isSuccession(transaction: Transaction): boolean
  /** Whether a request was executed lately. */
  isRepeated(request: EngineRequest, txid: string): boolean
  /** Adds to the write of block `number` what tells its rejected requests again. */
  rejected(batch: StoreBatch, number: bigint, identities: readonly Uint8Array[]): void
}

/** The one open batch of the ledger: executes ordered requests into it, commits or discards it (spec/consensus.md §2.5, §13). */
export class BlockExecution {
  private batch: LedgerBatch | undefined
  private done: ExecutedRequest[] = []
  /** Requests that this block may not hold yet. */
  private postponed: RequestId[] = []
  private admission: Admission | undefined
  private readonly inBatch = new Set<RequestId>()

  constructor(
    private readonly ledger: HostLedger,
    private readonly chaincode: HostChaincode,
    private readonly log: Logger,
    /** What a request's bytes decode to, if that is at hand. */
    private readonly decoded: (request: EngineRequest) => Transaction | undefined,
    private readonly admissionNow: () => Admission,
  ) {}

  get isOpen(): boolean {
    return this.batch !== undefined
  }

  /** Executes requests into the open batch; opens one if there is none. Rejects only if the ledger fails. */
  async execute(requests: readonly EngineRequest[]): Promise<readonly ExecutedRequest[]> {
    const admission = (this.admission ??= this.admissionNow())
    const batch = (this.batch ??= this.ledger.openBatch())
    const admitted = this.admit(requests, admission)
    const executed = await this.chaincode.execute(batch, admitted.transactions)
    assert(
      executed.length === admitted.transactions.length,
      `every executed transaction has a result: ${admitted.transactions.length} executed, ${executed.length} results`,
    )
    const results: ExecutedRequest[] = []
    for (const [index, request] of admitted.requests.entries()) {
      const result = executed[index]
      if (result) results.push({ request, executed: result })
    }
    this.done = this.done.length === 0 ? results : this.done.concat(results)
    return results
  }

  /** State hash of the open batch. */
  async stateHash(): Promise<Uint8Array | undefined> {
    return this.batch?.stateHash()
  }

  /** Commits the open batch as the next block. `also` adds to its atomic write. Rejects if nothing was written: the peer must stop then. */
  async commit(
    metadata: Uint8Array | undefined,
    also: (batch: StoreBatch, done: readonly ExecutedRequest[]) => void,
  ): Promise<{ block: CommittedBlock; done: readonly ExecutedRequest[]; postponed: readonly RequestId[] }> {
    const { batch, done, admission, postponed } = this
    assert(batch && admission, 'a block is committed from an open batch')
    const transactions = done.map(({ executed }) => executed)
    const { epoch } = admission
    const rejected = epoch === 0n ? [] : identitiesOf(done)
    const number = this.ledger.height()
    // Whatever happens the batch is over: there is nothing left to roll back.
    this.over()
    const block = await batch.commit(transactions, blockMetadata({ epoch, engine: metadata, rejected }), (write) => {
      if (epoch > 0n) admission.rejected(write, number, rejected)
      also(write, done)
    })
    return { block, done, postponed }
  }

  /** Discards the open batch, if there is one. */
  rollback(): void {
    this.batch?.rollback()
    this.over()
  }

  private over(): void {
    this.batch = undefined
    this.admission = undefined
    this.done = []
    this.postponed = []
    this.inBatch.clear()
  }

  /**
   * The requests that are executed. What is no transaction is left out on every validator alike, since they all see the same bytes
   * (spec/consensus.md §12.7). From epoch 1 on so is what was executed lately (design §4), and what comes before the epoch has started waits (design §6).
   */
  private admit(requests: readonly EngineRequest[], admission: Admission): { requests: readonly EngineRequest[]; transactions: OrderedTransaction[] } {
    const admitted: EngineRequest[] = []
    const transactions: OrderedTransaction[] = []
    for (const request of requests) {
      const transaction = this.read(request)
      if (!transaction || (admission.epoch > 0n && !this.mayRun(request, transaction, admission))) continue
      transactions.push({ bytes: request.bytes, transaction })
      admitted.push(request)
    }
    return { requests: admitted, transactions }
  }

  private read(request: EngineRequest): Transaction | undefined {
    try {
      return this.decoded(request) ?? decode(Transaction, request.bytes)
    } catch (error) {
      this.log.warning('an ordered request is no transaction and is left out', { id: request.id, reason: messageOf(error) })
      return undefined
    }
  }

  private mayRun(request: EngineRequest, transaction: Transaction, admission: Admission): boolean {
    if (!admission.isStarted && !admission.isSuccession(transaction)) {
      this.postponed.push(request.id)
      return false
    }
    // The identity is computed from the bytes: what an engine calls a request may be a claim of another member's.
    const id = requestId(request.bytes)
    if (this.inBatch.has(id) || admission.isRepeated({ id, bytes: request.bytes }, transaction.txid)) return false
    this.inBatch.add(id)
    return true
  }
}

/** Identities of the rejected requests, in order. */
function identitiesOf(done: readonly ExecutedRequest[]): Uint8Array[] {
  return done.flatMap(({ request, executed }) => (executed.result.error === undefined ? [] : [Buffer.from(requestId(request.bytes), 'hex')]))
}

/** What engines are told of a committed block. */
export function deliveredBlock(
  block: CommittedBlock,
  stateHash: Uint8Array | undefined,
  done: readonly ExecutedRequest[],
  postponed: readonly RequestId[],
): DeliveredBlock {
  const head = headOf(block.info)
  const rejected = outcomesOf(done).flatMap(({ id, succeeded }) => (succeeded ? [] : [id]))
  rejected.push(...postponed)
  return { number: block.number, hash: head.hash, stateHash, head, ...(rejected.length > 0 ? { rejected } : {}) }
}

/**
 * How a request ended if it is in the chain already: a transfer brought its block, or an earlier life of this peer did. A rejected one leaves
 * no trace in a block (spec/consensus.md §13.3) and is not found.
 */
export function committedReport(
  ledger: HostLedger,
  { bytes }: EngineRequest,
  { txid }: Pick<Transaction, 'txid'> = decode(Transaction, bytes),
): (RequestOutcomeReport & { readonly status: 'committed' }) | undefined {
  const committed = ledger.transactionBytes(txid)
  const location = committed && Buffer.compare(committed, bytes) === 0 ? ledger.locate(txid) : undefined
  return location && { status: 'committed', block: location.block, index: location.index }
}

/** What engines are told of executed requests. */
export function outcomesOf(done: readonly ExecutedRequest[]): RequestOutcome[] {
  return done.map(({ request, executed }) => ({ id: request.id, succeeded: executed.result.error === undefined }))
}

/** How each executed request of a block ended: blocks hold the successful ones only, so only these have an index. */
export function* reportsOf(block: CommittedBlock, done: readonly ExecutedRequest[]): Iterable<readonly [EngineRequest, RequestOutcomeReport]> {
  let index = 0
  for (const { request, executed } of done) {
    const { error } = executed.result
    if (error === undefined) yield [request, { status: 'committed', block: block.number, index: index++ }]
    else yield [request, { status: 'rejected', block: block.number, error }]
  }
}
