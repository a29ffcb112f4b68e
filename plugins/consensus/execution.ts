import { assert, messageOf, type Logger } from '../../kernel/index.js'
import { BlockchainInfo, decode, encode, Transaction } from '../../proto/index.js'
import type { ChaincodeSupport, OrderedTransaction } from '../chaincode/index.js'
import type { CommittedBlock, ExecutedTransaction, Ledger, LedgerBatch } from '../ledger/index.js'
import type { StoreBatch } from '../level/index.js'
import type { RequestOutcomeReport } from './consensus.js'
import type { DeliveredBlock, EngineRequest, Head, RequestOutcome } from './engine.js'

/** What a host needs of the ledger. */
export type HostLedger = Pick<Ledger, 'info' | 'height' | 'openBatch' | 'block' | 'blockBytes' | 'stateHash' | 'locate' | 'transactionBytes'>
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

/** The one open batch of the ledger: executes ordered requests into it, commits or discards it (spec/consensus.md §2.5, §13). */
export class BlockExecution {
  private batch: LedgerBatch | undefined
  private done: ExecutedRequest[] = []

  constructor(
    private readonly ledger: HostLedger,
    private readonly chaincode: HostChaincode,
    private readonly log: Logger,
    /** What a request's bytes decode to, if that is at hand. */
    private readonly decoded: (request: EngineRequest) => Transaction | undefined,
  ) {}

  get isOpen(): boolean {
    return this.batch !== undefined
  }

  /** Executes requests into the open batch; opens one if there is none. Rejects only if the ledger fails. */
  async execute(requests: readonly EngineRequest[]): Promise<readonly ExecutedRequest[]> {
    const batch = (this.batch ??= this.ledger.openBatch())
    const admitted = this.admit(requests)
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
  ): Promise<{ block: CommittedBlock; done: readonly ExecutedRequest[] }> {
    const { batch, done } = this
    assert(batch, 'a block is committed from an open batch')
    const transactions = done.map(({ executed }) => executed)
    // Whatever happens the batch is over: there is nothing left to roll back.
    this.batch = undefined
    this.done = []
    const block = await batch.commit(transactions, metadata, (write) => also(write, done))
    return { block, done }
  }

  /** Discards the open batch, if there is one. */
  rollback(): void {
    this.batch?.rollback()
    this.batch = undefined
    this.done = []
  }

  /**
   * The requests that are executed. What is no transaction is left out on every validator alike, since they all see the same bytes
   * (spec/consensus.md §12.7). From epoch 1 on this is also where a digest executed lately is left out (design §4).
   */
  private admit(requests: readonly EngineRequest[]): { requests: readonly EngineRequest[]; transactions: OrderedTransaction[] } {
    const admitted: EngineRequest[] = []
    const transactions: OrderedTransaction[] = []
    for (const request of requests) {
      try {
        transactions.push({ bytes: request.bytes, transaction: this.decoded(request) ?? decode(Transaction, request.bytes) })
        admitted.push(request)
      } catch (error) {
        this.log.warning('an ordered request is no transaction and is left out', { id: request.id, reason: messageOf(error) })
      }
    }
    return { requests: admitted, transactions }
  }
}

/** What engines are told of a committed block. */
export function deliveredBlock(block: CommittedBlock, stateHash: Uint8Array | undefined, done: readonly ExecutedRequest[]): DeliveredBlock {
  const head = headOf(block.info)
  const rejected = outcomesOf(done).flatMap(({ id, succeeded }) => (succeeded ? [] : [id]))
  return { number: block.number, hash: head.hash, stateHash, head, ...(rejected.length > 0 ? { rejected } : {}) }
}

/**
 * How a request ended if it is in the chain already: a transfer brought its block, or an earlier life of this peer did. A rejected one leaves
 * no trace in a block (spec/consensus.md §13.3) and is not found.
 */
export function committedReport(ledger: HostLedger, { bytes }: EngineRequest): RequestOutcomeReport | undefined {
  const { txid } = decode(Transaction, bytes)
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
