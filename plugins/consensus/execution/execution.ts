import { Buffer } from 'node:buffer'
import { assert, messageOf, type Logger } from '../../../kernel/index.js'
import { BlockchainInfo, decode, encode, Transaction } from '../../../proto/index.js'
import type { ChaincodeSupport, OrderedTransaction } from '../../chaincode/index.js'
import type { CommittedBlock, ExecutedTransaction, Ledger, LedgerBatch, LedgerSync } from '../../ledger/index.js'
import type { StoreBatch } from '../../level/index.js'
import type { RequestOutcomeReport } from '../consensus.js'
import { blockMetadata } from './block-metadata.js'
import type { DeliveredBlock, EngineRequest, Head, RequestId, RequestOutcome } from '../engine/engine.js'
import { digestOf } from '../engine/request-id.js'

/** What a host needs of the ledger. */
export type HostLedger = Pick<Ledger, 'info' | 'height' | 'openBatch' | 'block' | 'blockBytes' | 'stateHash' | 'locateBytes' | 'committed'> &
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

/** Whether the world state is that of the head: a transfer that was cut short leaves it behind the blocks. */
export function isStateThere(ledger: HostLedger): boolean {
  return ledger.stateBlock === undefined || (ledger.stateBlock() ?? -1n) === ledger.height() - 1n
}

/** Which requests a block may hold; decided when its batch is opened. */
export interface Admission {
  readonly epoch: bigint
  /** So many validators have not said yet that they run the epoch's engine: until they have, blocks hold calls of the succession alone. 0: it has started. */
  readonly markersMissing: number
  /** Whether a transaction is a call of the succession. */
  isSuccession(transaction: Transaction): boolean
  /** Whether a transaction that was executed without an error said that one more validator runs the epoch's engine. */
  isMarker(transaction: Transaction): boolean
  /** Whether a request with these bytes was executed and rejected lately. */
  wasRejected(bytes: Uint8Array): boolean
  /** Adds to the write of block `number` what tells its rejected requests again. */
  rejected(batch: StoreBatch, number: bigint, identities: readonly Uint8Array[]): void
}

/** The one open batch of the ledger: executes ordered requests into it, commits or discards it (spec/consensus.md §2.5, §13). */
export class BlockExecution {
  private batch: LedgerBatch | undefined
  private done: ExecutedRequest[] = []
  /** Requests that this block may not hold yet, and those that were executed before. */
  private postponed: RequestId[] = []
  private repeated: EngineRequest[] = []
  private admission: Admission | undefined
  /** Of the admission, those that the open batch brought not counted. */
  private markersMissing = 0
  /** Transactions of the open batch by txid. */
  private readonly admitted = new Map<string, Uint8Array[]>()

  constructor(
    private readonly ledger: HostLedger,
    private readonly chaincode: HostChaincode,
    private readonly log: Logger,
    /** What a request's bytes decode to, if that is at hand. */
    private readonly decoded: (request: EngineRequest) => Transaction | undefined,
    private readonly admissionNow: () => Admission,
    /** Whether what is in the chain already is executed again, as originals do. */
    private readonly executesRepetitions = false,
  ) {}

  get isOpen(): boolean {
    return this.batch !== undefined
  }

  /** Executes requests into the open batch; opens one if there is none. Rejects only if the ledger fails. */
  async execute(requests: readonly EngineRequest[]): Promise<readonly ExecutedRequest[]> {
    const admission = (this.admission ??= this.admissionNow())
    const batch = this.batch ?? this.open(admission)
    if (this.markersMissing === 0) return this.executeAdmitted(batch, admission, requests)
    const results: ExecutedRequest[] = []
    for (let next = 0; next < requests.length; ) {
      const end = this.markersMissing === 0 ? requests.length : this.endOfRun(requests, next, admission)
      results.push(...(await this.executeAdmitted(batch, admission, requests.slice(next, end))))
      next = end
    }
    return results
  }

  private open({ markersMissing }: Admission): LedgerBatch {
    this.markersMissing = markersMissing
    this.batch = this.ledger.openBatch()
    return this.batch
  }

  /** Until the epoch has started calls of the succession are executed by themselves: the last marker that it needs admits what follows it in the same block. */
  private endOfRun(requests: readonly EngineRequest[], begin: number, admission: Admission): number {
    const isCall = (request: EngineRequest | undefined): boolean => {
      const transaction = request && this.read(request)
      return transaction !== undefined && admission.isSuccession(transaction)
    }
    const isRunOfCalls = isCall(requests[begin])
    let end = begin + 1
    while (end < requests.length && isCall(requests[end]) === isRunOfCalls) end++
    return end
  }

  private async executeAdmitted(batch: LedgerBatch, admission: Admission, requests: readonly EngineRequest[]): Promise<readonly ExecutedRequest[]> {
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
      const transaction = admitted.transactions[index]?.transaction
      if (this.markersMissing > 0 && result?.result.error === undefined && transaction && admission.isMarker(transaction)) this.markersMissing--
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
    also: (batch: StoreBatch, over: readonly EngineRequest[]) => void,
  ): Promise<{ block: CommittedBlock; done: readonly ExecutedRequest[]; repeated: readonly EngineRequest[]; postponed: readonly RequestId[] }> {
    const { batch, done, repeated, postponed, admission } = this
    assert(batch && admission, 'a block is committed from an open batch')
    const transactions = done.map(({ executed }) => executed)
    const over = [...done.map(({ request }) => request), ...repeated]
    const { epoch } = admission
    const rejected = epoch === 0n ? [] : identitiesOf(done)
    const number = this.ledger.height()
    // Whatever happens the batch is over: there is nothing left to roll back.
    this.forget()
    const block = await batch.commit(transactions, blockMetadata({ epoch, engine: metadata, rejected }), (write) => {
      if (epoch > 0n) admission.rejected(write, number, rejected)
      also(write, over)
    })
    return { block, done, repeated, postponed }
  }

  /** Discards the open batch, if there is one. */
  rollback(): void {
    this.batch?.rollback()
    this.forget()
  }

  private forget(): void {
    this.batch = undefined
    this.admission = undefined
    this.done = []
    this.postponed = []
    this.repeated = []
    this.admitted.clear()
  }

  /**
   * The requests that are executed. What is no transaction is left out on every validator alike, since they all see the same bytes
   * (spec/consensus.md §12.7); so is what the chain or the open batch holds already, since they all have the same chain. In later epochs so is what was
   * rejected lately, and what comes before the epoch has started waits.
   */
  private admit(requests: readonly EngineRequest[], admission: Admission): { requests: readonly EngineRequest[]; transactions: OrderedTransaction[] } {
    const admitted: EngineRequest[] = []
    const transactions: OrderedTransaction[] = []
    for (const request of requests) {
      const transaction = this.read(request)
      if (transaction === undefined) continue
      if (this.markersMissing > 0 && !admission.isSuccession(transaction)) this.postponed.push(request.id)
      else if (this.isOver(request, transaction, admission)) {
        this.repeated.push(request)
        this.log.warning('an ordered transaction was executed before and is left out', { id: request.id, txid: transaction.txid })
      } else {
        transactions.push({ bytes: request.bytes, transaction })
        admitted.push(request)
      }
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

  private isOver({ bytes }: EngineRequest, transaction: Transaction, admission: Admission): boolean {
    if (!this.executesRepetitions && this.isRepeated(bytes, transaction)) return true
    return admission.epoch > 0n && admission.wasRejected(bytes)
  }

  /** Decided by the chain and the batch alone, so alike on every validator, however it came by its blocks; rejected transactions are in neither. */
  private isRepeated(bytes: Uint8Array, { txid }: Transaction): boolean {
    const before = this.admitted.get(txid)
    if (before?.some((known) => Buffer.compare(known, bytes) === 0) || this.ledger.locateBytes(txid, bytes)) return true
    if (before) before.push(bytes)
    else this.admitted.set(txid, [bytes])
    return false
  }
}

/** Identities of the rejected requests, in order. */
function identitiesOf(done: readonly ExecutedRequest[]): Uint8Array[] {
  return done.flatMap(({ request, executed }) => (executed.result.error === undefined ? [] : [digestOf(request.bytes)]))
}

/** What engines are told of a committed block. */
export function deliveredBlock(
  block: CommittedBlock,
  stateHash: Uint8Array | undefined,
  done: readonly ExecutedRequest[],
  postponed: readonly RequestId[],
): DeliveredBlock {
  const head = headOf(block.info)
  const rejected: RequestId[] = []
  for (const { request, executed } of done) if (executed.result.error !== undefined) rejected.push(request.id)
  for (const id of postponed) rejected.push(id)
  return { number: block.number, hash: head.hash, stateHash, head, ...(rejected.length > 0 ? { rejected } : {}) }
}

/**
 * How a request ended if it is in the chain already: a transfer brought its block, or an earlier life of this peer did. A rejected one leaves
 * no trace in a block (spec/consensus.md §13.3) and is not found.
 */
export function committedReport(
  ledger: HostLedger,
  { bytes }: EngineRequest,
  transaction: Pick<Transaction, 'txid'> = decode(Transaction, bytes),
): RequestOutcomeReport | undefined {
  const location = ledger.locateBytes(transaction.txid, bytes)
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
