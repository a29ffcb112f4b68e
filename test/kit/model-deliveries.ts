import type {
  DeliveredBlock,
  Effect,
  EngineEvent,
  EngineRequest,
  RequestId,
  RequestOutcome,
  TransferResult,
  TransferTarget,
} from '../../plugins/consensus/index.js'
import type { ModelBlock, ModelLibrary, ModelState, ModelTransaction } from './model-chain.js'
import { type ModelDisk, modelWrite } from './model-disk.js'
import type { ModelPool } from './model-pool.js'

/** What engines ask of the ledger. */
export type LedgerEffect = Extract<Effect, { readonly type: 'deliver' | 'execute' | 'commit' | 'rollback' | 'transfer' }>

/** How an ordered request fared in the open batch. */
interface Executed {
  readonly id: RequestId
  readonly transaction: ModelTransaction
  readonly succeeded: boolean
}

interface OpenBatch {
  readonly done: Executed[]
  /** What the chain or the batch held already. */
  readonly repeated: ModelTransaction[]
  state: ModelState
}

export interface ModelDeliveriesOptions {
  readonly library: ModelLibrary
  readonly disk: ModelDisk
  readonly pool: ModelPool
  readonly window: number
  /** Requests of transferred blocks that the engine is told of, at most. */
  readonly maxTold: number
  readonly executesRepetitions: boolean
  /** Runs a task when the execution of a batch is over. */
  readonly execute: (task: () => void) => void
  /** Brings the chain to a target; the engine's reason if that could not be. */
  readonly transfer: (target: TransferTarget, ended: (failure: string | undefined) => void) => void
  /** Blocks have become durable. */
  readonly grown: (blocks: readonly ModelBlock[]) => void
  readonly answer: (event: EngineEvent) => void
  readonly fault: (reason: string) => void
}

/** What an engine asks of the ledger, in order, one at a time: execute, commit, roll back, transfer. */
export class ModelDeliveries {
  #queue: LedgerEffect[] = []
  #isBusy = false
  #isClosed = false
  #unanswered = 0
  /** How many effects at the head of the queue a transfer has overtaken. */
  #overtaken = 0
  #open: OpenBatch | undefined
  #rested: (() => void) | undefined

  constructor(private readonly options: ModelDeliveriesOptions) {}

  get isIdle(): boolean {
    return !this.#isBusy && this.#queue.length === 0 && this.#open === undefined
  }

  add(effect: LedgerEffect): void {
    if (this.#isClosed) return
    if (effect.type === 'transfer') this.#overtaken = this.#queue.length
    if (effect.type === 'deliver' || effect.type === 'execute') this.#unanswered += 1
    if (this.#unanswered > this.options.window)
      return this.options.fault(`an engine may wait for ${this.options.window} deliveries at a time (host.deliveryWindow)`)
    this.#queue.push(effect)
    if (!this.#isBusy) this.#run()
  }

  /** Drops what has not begun; `rested` is called when what is in progress is over. */
  close(rested: () => void): void {
    this.#isClosed = true
    this.#queue = []
    this.#rested = rested
    if (!this.#isBusy) this.#rest()
  }

  #rest(): void {
    const rested = this.#rested
    this.#rested = undefined
    this.#open = undefined
    rested?.()
  }

  #run(): void {
    this.#isBusy = true
    while (this.#isBusy) {
      const effect = this.#queue.shift()
      if (effect === undefined) {
        this.#isBusy = false
        if (this.#isClosed) this.#rest()
        return
      }
      if (this.#overtaken > 0) this.#skip(effect)
      else if (!this.#carryOut(effect)) return
    }
  }

  /** False: it takes time, and `#run` is called again. */
  #carryOut(effect: LedgerEffect): boolean {
    const { options } = this
    switch (effect.type) {
      case 'deliver':
        if (this.#open) options.fault(`deliver('${effect.tag}') while a batch is open: commit() or rollback() it first`)
        else options.execute(() => this.#deliver(effect))
        return false
      case 'execute':
        options.execute(() => this.#execute(effect))
        return false
      case 'commit':
        if (this.#open) this.#commit(effect.tag, effect.metadata, [], 0)
        else options.fault(`commit('${effect.tag}') without an open batch: execute() first`)
        return false
      case 'rollback':
        this.#open = undefined
        return true
      case 'transfer':
        break
    }
    this.#open = undefined
    this.#transfer(effect.target)
    return false
  }

  #deliver({ tag, requests, metadata, put }: LedgerEffect & { readonly type: 'deliver' }): void {
    this.#executeAll(requests)
    this.#commit(tag, metadata, put, 1)
  }

  #execute({ tag, requests }: LedgerEffect & { readonly type: 'execute' }): void {
    const { library } = this.options
    const done = this.#executeAll(requests)
    const stateHash = this.#open && library.hashed(this.#open.state).hash
    const outcomes: RequestOutcome[] = done.map(({ id, succeeded }) => ({ id, succeeded }))
    this.#unanswered -= 1
    this.options.answer({ type: 'executed', tag, stateHash, outcomes })
    this.#run()
  }

  #executeAll(requests: readonly EngineRequest[]): readonly Executed[] {
    const { library, disk, executesRepetitions } = this.options
    const open = (this.#open ??= { done: [], repeated: [], state: disk.image.head.state })
    const first = open.done.length
    for (const { id, bytes } of requests) {
      const transaction = library.transaction(bytes)
      if (transaction.txid === undefined) continue
      const isRepeated = !executesRepetitions && (open.done.some((executed) => executed.transaction === transaction) || disk.image.places.has(transaction))
      if (isRepeated) {
        open.repeated.push(transaction)
        continue
      }
      const succeeded = !transaction.fails
      if (succeeded) open.state = library.execute(open.state, transaction)
      open.done.push({ id, transaction, succeeded })
    }
    return first === 0 ? open.done : open.done.slice(first)
  }

  #commit(tag: string, metadata: Uint8Array | undefined, put: readonly (readonly [key: string, value: Uint8Array | undefined])[], answered: number): void {
    const { library, disk, pool, grown, answer } = this.options
    const open = this.#open
    if (!open) return
    this.#open = undefined
    const succeeded = (open.done.every(isIn) ? open.done : open.done.filter(isIn)).map(({ transaction }) => transaction)
    const over: ModelTransaction[] = []
    for (const { transaction } of open.done) if (pool.owns(transaction)) over.push(transaction)
    for (const transaction of open.repeated) if (pool.owns(transaction)) over.push(transaction)
    const block = library.block(disk.image.head, succeeded, metadata !== undefined && metadata.length > 0 ? metadata : undefined, open.state)
    const committed = (): void => {
      grown([block])
      this.#settle(block, open)
      this.#unanswered -= answered
      answer({ type: 'delivered', tag, block: deliveredBlock(block, open.done) })
      this.#run()
    }
    disk.write(modelWrite(committed, { records: put, over, blocks: [block] }))
  }

  #settle({ number }: ModelBlock, { done, repeated }: OpenBatch): void {
    const { pool, disk } = this.options
    let index = 0
    for (const { transaction, succeeded } of done) {
      if (!pool.owns(transaction)) index += succeeded ? 1 : 0
      else if (succeeded) pool.settle(transaction, { status: 'committed', block: number, index: index++ })
      else pool.settle(transaction, { status: 'rejected', block: number, error: 'refused by the simulated chaincode' })
    }
    for (const transaction of repeated) {
      const place = disk.image.places.get(transaction)
      if (pool.owns(transaction))
        pool.settle(transaction, place ? { status: 'committed', ...place } : { status: 'rejected', block: number, error: 'refused before' })
    }
  }

  #transfer(target: TransferTarget): void {
    const { disk, pool, transfer, answer } = this.options
    const before = disk.image.blocks.length
    transfer(target, (failure) => {
      const tell = (result: TransferResult): void => {
        answer({ type: 'transferred', result })
        if (result.reached) for (const request of pool.open()) answer({ type: 'request', request })
        this.#run()
      }
      if (failure !== undefined) return tell({ reached: false, reason: failure })
      pool.reconcile(() => tell(this.#reached(before)))
    })
  }

  #reached(before: number): TransferResult {
    const { disk, library, maxTold } = this.options
    const { head, metadata } = disk.image.head
    const ids = newestRequests(library, disk.image.blocks, before, maxTold)
    return { reached: true, head, metadata, ...(ids.isComplete ? { executed: ids.ids } : {}) }
  }

  /** Answers, in its turn, what a transfer has overtaken. Executions and roll-backs have no answer then. */
  #skip(effect: LedgerEffect): void {
    const { answer } = this.options
    this.#overtaken -= 1
    if (effect.type === 'deliver' || effect.type === 'execute') this.#unanswered -= 1
    if (effect.type === 'deliver' || effect.type === 'commit') answer({ type: 'delivered', tag: effect.tag, block: 'skipped' })
    if (effect.type === 'transfer') answer({ type: 'transferred', result: { reached: false, reason: 'a later transferTo replaced it' } })
  }
}

/** The requests in the blocks from `first` on, oldest first; not complete if they are more than `most`: then only those of the newest blocks. */
export function newestRequests(
  library: ModelLibrary,
  blocks: readonly ModelBlock[],
  first: number,
  most: number,
): { readonly ids: readonly RequestId[]; readonly isComplete: boolean } {
  let from = blocks.length
  let count = 0
  while (from > first) {
    count += blocks[from - 1]?.transactions.length ?? 0
    if (count > most) break
    from -= 1
  }
  return { ids: blocks.slice(from).flatMap(({ transactions }) => transactions.map((transaction) => library.idOf(transaction))), isComplete: from === first }
}

const isIn = ({ succeeded }: Executed): boolean => succeeded

function deliveredBlock(block: ModelBlock, done: readonly Executed[]): DeliveredBlock {
  const rejected: RequestId[] = []
  for (const { id, succeeded } of done) if (!succeeded) rejected.push(id)
  return rejected.length === 0 ? block.delivered : { ...block.delivered, rejected }
}
