import { attemptTransfer } from './attempt-transfer.js'
import type { StateTransfer } from '../consensus.js'
import type { EngineRecord, LedgerEffect } from '../engine/effects.js'
import type { EngineRequest, TransferResult, TransferTarget } from '../engine/engine.js'
import type { EngineEvent } from '../engine/events.js'
import {
  type BlockExecution,
  committedReport,
  deliveredBlock,
  type ExecutedRequest,
  headOf,
  type HostLedger,
  isStateThere,
  outcomesOf,
  reportsOf,
} from './execution.js'
import { Fifo } from '../fifo.js'
import type { TransactionProbe } from '../probe.js'
import type { RequestPool } from '../pool/pool.js'
import { REJECTED_BEFORE } from './rejected-requests.js'
import { requestsFrom } from './recent-requests.js'
import type { EngineRecords } from '../engine/records.js'

export interface DeliveriesOptions {
  readonly execution: BlockExecution
  readonly ledger: HostLedger
  readonly pool: RequestPool
  readonly records: EngineRecords
  readonly window: number
  /** Requests of transferred blocks that the engine is told of, at most. */
  readonly maxTold: number
  readonly transfer: StateTransfer | undefined
  readonly probe?: TransactionProbe | undefined
  /** What the engine of this epoch gave to its last block. */
  readonly metadata: () => Uint8Array | undefined
  /** Blocks of others are in the ledger: what they say that is kept elsewhere is read from them. Rejects if the store fails. */
  readonly tookBlocks: () => Promise<void>
  /** Own requests that the engine may be given. */
  readonly open: () => readonly EngineRequest[]
  /**
   * The chain has grown; `hasPostponed`: a block was to hold more than it may yet. Returns the height at which the engine's epoch has ended, if it has: nothing that
   * it asks for becomes a block any more.
   */
  readonly grown: (hasPostponed: boolean) => bigint | undefined
  /** Runs a task in a later turn of the event loop. */
  readonly defer: (task: () => void) => void
  /** Runs a task in a while. */
  readonly later: (task: () => void) => void
  /** Answers to the engine. */
  readonly answer: (event: EngineEvent) => void
  /** The engine broke a rule. */
  readonly fault: (reason: string) => void
  /** The ledger failed: the peer must stop. */
  readonly fatal: (reason: unknown) => void
}

/** Effects that wait, far above what any engine has there: one that asks without end must not take the memory of its peer. */
const MAX_WAITING = 10_000
/** What leads to no block, transfers above all, is done as often in a row; then it is paced. */
const UNPACED = 100

/** What engines ask of the ledger, done strictly in order, one at a time: execute, commit, roll back, transfer. */
export class Deliveries {
  private readonly queue = new Fifo<LedgerEffect>()
  /** Resolves when what was begun last is over; `isRunning`: it is not. */
  private running: Promise<void> | undefined
  private isRunning = false
  private unanswered = 0
  /** How many effects at the head of the queue a transfer has overtaken. */
  private overtaken = 0
  /** Effects since the last block that led to none. */
  private futile = 0
  private isClosed = false
  private isAborted = false
  private isSealed = false

  constructor(private readonly options: DeliveriesOptions) {}

  /** Nothing is executed, committed or transferred, and nothing is asked for. */
  get isIdle(): boolean {
    return !this.isRunning && this.queue.length === 0 && !this.options.execution.isOpen
  }

  /** More than `window` unanswered deliveries are a fault of the engine. A transfer cancels what has not begun. */
  add(effect: LedgerEffect): void {
    if (this.isClosed) return
    if (effect.type === 'transfer') this.overtaken = this.queue.length
    if (isDelivery(effect)) this.unanswered++
    if (this.unanswered > this.options.window) {
      this.options.fault(
        `an engine may wait for ${this.options.window} deliveries at a time (host.deliveryWindow); '${'tag' in effect ? effect.tag : ''}' was one more: wait for onDelivered`,
      )
      return
    }
    if (this.queue.length >= MAX_WAITING)
      return this.options.fault(`an engine may have asked the ledger for ${MAX_WAITING} things at a time; '${effect.type}' was one more`)
    this.queue.push(effect)
    if (!this.isRunning) this.running = this.run()
  }

  /** Nothing becomes a block any more; what is asked for is answered as overtaken. */
  seal(): void {
    this.isSealed = true
  }

  /** Drops what has not begun, also of an engine that was halted; resolves when what is in progress is over. Then another engine may go on. */
  async reset(): Promise<void> {
    this.isClosed = true
    this.queue.clear()
    await this.running
    if (this.isAborted) return
    this.options.execution.rollback()
    this.overtaken = 0
    this.unanswered = 0
    this.isClosed = false
  }

  /** Drops what has not begun, and commits nothing any more. */
  abort(): void {
    this.isClosed = true
    this.isAborted = true
    this.queue.clear()
  }

  /** Drops what has not begun; what is in progress goes on. Resolves when that is over. */
  async close(): Promise<void> {
    this.isClosed = true
    this.queue.clear()
    await this.running
    this.options.execution.rollback()
  }

  private async run(): Promise<void> {
    this.isRunning = true
    try {
      while (this.queue.length > 0) {
        // Some of it needs no turn of the event loop: an engine that asks again in each answer would leave none to its peer.
        if (this.futile > UNPACED && !this.isSealed) await new Promise<void>((resolve) => this.options.later(resolve))
        const effect = this.queue.shift()
        if (effect === undefined) return
        if (this.isSealed) this.skipLater(effect)
        else if (this.overtaken === 0) await this.carryOut(effect)
        else this.skip(effect)
      }
    } catch (reason) {
      this.isClosed = true
      this.queue.clear()
      this.options.fatal(reason)
    } finally {
      this.isRunning = false
    }
  }

  private async carryOut(effect: LedgerEffect): Promise<void> {
    const before = this.options.ledger.height()
    await this.act(effect)
    if (this.options.ledger.height() > before) this.futile = 0
    // A batch may be executed request by request.
    else if (effect.type !== 'execute' || effect.requests.length === 0) this.futile++
  }

  private async act(effect: LedgerEffect): Promise<void> {
    switch (effect.type) {
      case 'deliver':
        await this.deliver(effect)
        break
      case 'execute':
        await this.execute(effect)
        break
      case 'commit':
        await this.commit(effect.tag, effect.metadata, [])
        break
      case 'rollback':
        this.options.execution.rollback()
        break
      case 'transfer':
        await this.transferTo(effect.target)
        break
    }
  }

  private async deliver({ tag, requests, metadata, put }: LedgerEffect & { type: 'deliver' }): Promise<void> {
    const { execution, fault } = this.options
    if (execution.isOpen) return fault(`deliver('${tag}') while a batch is open: commit() or rollback() it first`)
    await this.executeBatch(requests)
    await this.commit(tag, metadata, put, () => this.unanswered--)
  }

  private async execute({ tag, requests }: LedgerEffect & { type: 'execute' }): Promise<void> {
    const { execution, answer } = this.options
    const done = await this.executeBatch(requests)
    const stateHash = await execution.stateHash()
    this.unanswered--
    answer({ type: 'executed', tag, stateHash, outcomes: outcomesOf(done) })
  }

  private async executeBatch(requests: readonly EngineRequest[]): Promise<readonly ExecutedRequest[]> {
    const { execution, probe } = this.options
    if (probe === undefined) return execution.execute(requests)
    const ids = requests.map(({ id }) => id)
    probe.executing(ids)
    const done = await execution.execute(requests)
    probe.executed(ids)
    return done
  }

  private async commit(tag: string, metadata: Uint8Array | undefined, put: readonly EngineRecord[], answering = (): unknown => undefined): Promise<void> {
    const { execution, pool, records, ledger, answer, fault } = this.options
    if (this.isAborted) return
    if (!execution.isOpen) return fault(`commit('${tag}') without an open batch: execute() first`)
    const { block, done, postponed, repeated } = await execution.commit(metadata, (batch, over) => {
      for (const record of put) records.write(batch, record)
      for (const request of over) if (pool.owns(request)) pool.remove(batch, request.id)
    })
    for (const [request, report] of reportsOf(block, done)) if (pool.owns(request)) pool.settle(request.id, report)
    for (const request of repeated) {
      if (!pool.owns(request)) continue
      // In no block: it was executed and rejected before.
      pool.settle(request.id, committedReport(ledger, request) ?? { status: 'rejected', block: block.number, error: REJECTED_BEFORE })
    }
    answering()
    // Before the engine is told: what it asks for then must find the epoch over.
    const sealedAt = this.options.grown(postponed.length > 0)
    if (sealedAt !== undefined) this.seal()
    answer({ type: 'delivered', tag, block: deliveredBlock(block, ledger.stateHash(), done, postponed) })
    // Before anything is skipped: an engine that does not know why would ask for it again.
    if (sealedAt !== undefined) answer({ type: 'sealed', height: sealedAt })
  }

  private async transferTo(target: TransferTarget): Promise<void> {
    const { execution, pool, answer, open } = this.options
    execution.rollback()
    const result = await this.transfer(target)
    if (this.isAborted) return
    // Also without growing: the blocks of others may stand in the place of own ones.
    await this.options.tookBlocks()
    if (result.reached) await pool.reconcile()
    const sealedAt = this.options.grown(false)
    if (sealedAt !== undefined) this.seal()
    answer({ type: 'transferred', result })
    if (sealedAt !== undefined) return answer({ type: 'sealed', height: sealedAt })
    // The engine cannot know which of its requests were in the blocks that came: it is given what is still open.
    if (result.reached) for (const request of open()) answer({ type: 'request', request })
  }

  private async transfer(target: TransferTarget): Promise<TransferResult> {
    const { ledger, transfer, metadata } = this.options
    const before = ledger.height()
    if (!isReached(ledger, target)) {
      const result = await attemptTransfer(transfer, target)
      if (!result.reached) return result
      if (!isReached(ledger, target)) return { reached: false, reason: `the transfer ended at height ${ledger.height()} instead of ${target.height}` }
    }
    const { ids, isComplete } = requestsFrom(ledger, before, this.options.maxTold)
    return { reached: true, head: headOf(ledger.info()), metadata: metadata(), ...(isComplete ? { executed: ids } : {}) }
  }

  /** Not at once: an engine that asks again for what was skipped would keep the validator busy with nothing else, and nothing ever changes its answer. */
  private skipLater(effect: LedgerEffect): void {
    this.options.later(() => {
      if (!this.isAborted) this.skip(effect)
    })
  }

  /** Answers, in its turn, what a transfer has overtaken. Executions and roll-backs have no answer then, as in v0.6 (spec/consensus.md §2.5). */
  private skip(effect: LedgerEffect): void {
    this.futile++
    if (this.overtaken > 0) this.overtaken--
    if (isDelivery(effect)) this.unanswered--
    if (effect.type === 'deliver' || effect.type === 'commit') this.options.answer({ type: 'delivered', tag: effect.tag, block: 'skipped' })
    if (effect.type === 'transfer')
      this.options.answer({
        type: 'transferred',
        result: { reached: false, reason: this.isSealed ? 'the epoch of this engine has ended' : 'a later transferTo replaced it' },
      })
  }
}

function isDelivery(effect: LedgerEffect): boolean {
  return effect.type === 'deliver' || effect.type === 'execute'
}

/** Whether the target is the head, and the world state that of the head. */
function isReached(ledger: HostLedger, target: TransferTarget): boolean {
  const { height, currentBlockHash } = ledger.info()
  return isStateThere(ledger) && height === target.height && Buffer.compare(currentBlockHash, target.hash) === 0
}
