import { PeerError, messageOf } from '../../../kernel/index.js'
import { ChaincodeInput, type Transaction, Transaction_Type, encode } from '../../../proto/index.js'
import type { ExecutedTransaction, LedgerBatch, TransactionResult } from '../../ledger/index.js'
import type { OrderedTransaction } from '../support.js'
import type { CallResult, ChaincodeRuntime } from '../runtime.js'
import type { CallRunner } from './call-runner.js'
import { ChaincodeCall, type NestedCalls } from './chaincode-call.js'
import { type Deployment, type Deployments, readDeployment } from './deployments.js'
import { isLocalFault, refusal } from './errors.js'
import { Execution } from './execution.js'
import { type Invocation, readInvocation } from './invocation.js'
import { type ChaincodeSupportOptions, securityContextOf } from './options.js'
import type { QueryGate } from './query-gate.js'
import type { RunningChaincodes } from './running.js'
import type { ChaincodeStarter, LaunchCause } from './starter.js'
import { texts } from './texts.js'

/** The only thing that executing asks of an open batch. */
export type ExecutingBatch = Pick<LedgerBatch, 'begin'>

/** One try of a transaction: its outcome, or `again` after a local fault that may not repeat itself. */
type Attempt = TransactionResult | 'again'

/** Executes the ordered transactions of a batch, strictly one after another (spec/chaincode.md §13, spec/ledger.md §11). */
export class BatchExecutor {
  constructor(
    private readonly options: ChaincodeSupportOptions,
    private readonly running: RunningChaincodes,
    private readonly deployments: Deployments,
    private readonly starter: ChaincodeStarter,
    private readonly runner: CallRunner,
    private readonly nested: NestedCalls,
    private readonly gate: QueryGate,
  ) {}

  async execute(batch: ExecutingBatch, transactions: readonly OrderedTransaction[]): Promise<ExecutedTransaction[]> {
    this.deployments.enter(batch)
    const executed: ExecutedTransaction[] = []
    for (const { bytes, transaction } of transactions) {
      const result = await this.executeOne(batch, transaction)
      executed.push({ bytes, result })
    }
    return executed
  }

  private async executeOne(batch: ExecutingBatch, transaction: Transaction): Promise<TransactionResult> {
    const { txid, type } = transaction
    if (txid === '') return { txid, error: 'the transaction has no txid' }
    let attempt: (isLast: boolean) => Promise<Attempt>
    if (type === Transaction_Type.CHAINCODE_INVOKE) {
      const invocation = readOr(() => readInvocation(transaction), texts.launchFailed)
      if (typeof invocation === 'string') return { txid, error: invocation }
      attempt = (isLast) => this.invoke(batch, transaction, invocation, isLast || !this.starter.canRelaunch(invocation.name))
    } else if (type === Transaction_Type.CHAINCODE_DEPLOY) {
      const deployment = readOr(() => this.readDeploy(transaction), texts.deployFailed)
      if (typeof deployment === 'string') return { txid, error: deployment }
      attempt = (isLast) => this.deploy(batch, transaction, deployment, isLast || !this.starter.canRelaunch(deployment.name))
    } else {
      return { txid, error: texts.invalidType(Transaction_Type[type] ?? String(type)) }
    }
    const first = await attempt(false)
    if (first !== 'again') return first
    if (this.options.counters !== undefined) this.options.counters.retries++
    this.options.log.warning('executing a transaction once more after a local fault', { txid })
    const second = await this.gate.closedDuring(() => attempt(true))
    if (second === 'again') throw new PeerError('ERR_BROKEN_INVARIANT', 'broken invariant: the last attempt of a transaction decides')
    return second
  }

  private async invoke(batch: ExecutingBatch, transaction: Transaction, { name, args, input }: Invocation, isLast: boolean): Promise<Attempt> {
    const { txid } = transaction
    const securityContext = securityContextOf(transaction, input, this.options.security)
    let runtime = this.readyNow(name, batch)
    try {
      runtime ??= await this.starter.launch(name, { txid, securityContext, kind: 'transaction' })
    } catch (cause) {
      if (isLocalFault(cause) && !isLast) return 'again'
      return { txid, error: texts.launchFailed(messageOf(cause)) }
    }
    const state = batch.begin(txid)
    const execution = new Execution(transaction, state, this.options.ledger.committed)
    const call = new ChaincodeCall('invoke', name, input, args, securityContext, execution.stateFor(name, 'invoke'), execution, [], this.nested)
    let result: CallResult | undefined
    let error: string | undefined
    let isLost = false
    try {
      result = await this.runner.run(call, runtime)
      if (!result.ok) error = texts.returnedFailure(Buffer.from(result.payload).toString())
    } catch (cause) {
      error = texts.executeFailed(messageOf(cause))
      isLost = isLocalFault(cause)
    }
    if (execution.hasNested) await execution.settled()
    if (execution.fault !== undefined) throw execution.fault.cause
    // A caller that carries on after a callee's process died would succeed elsewhere with another result: the transaction is what is lost.
    if (result !== undefined && execution.lost !== undefined) {
      error = texts.executeFailed(execution.lost.message)
      isLost = true
    }
    state.finish(error === undefined)
    if (isLost && !isLast) return 'again'
    const event = result?.event && { chaincodeID: name, txID: txid, eventName: result.event.name, payload: result.event.payload }
    return { txid, ...(error === undefined ? {} : { error }), ...(event === undefined ? {} : { event }) }
  }

  /** A ready runtime whose deploy is known to hold, so that nothing has to be awaited or looked up. */
  private readyNow(name: string, batch: ExecutingBatch): ChaincodeRuntime | undefined {
    const entry = this.running.get(name)
    if (entry?.state !== 'ready') return undefined
    return entry.deployedIn === undefined || entry.deployedIn === batch ? entry.runtime : undefined
  }

  private readDeploy(transaction: Transaction): Deployment {
    const deployment = readDeployment(transaction.payload)
    const { name } = deployment
    const { mode, compatibility } = this.options.settings
    const system = this.starter.systems.get(name)
    if (system !== undefined && (mode === 'net' || !system.callable)) throw refusal(texts.alreadyRunning(name))
    if (deployment.isSystem) throw refusal('system chaincodes are part of the peer: they cannot be deployed by a transaction')
    if (compatibility === 'weft' && transaction.txid !== name) {
      throw refusal(`the txid of a deploy must be the chaincode's name ${name}, found ${transaction.txid}`)
    }
    if (mode === 'dev') return deployment
    this.starter.launcherFor(deployment.type)
    // v0.6 looks at what happens to run on this validator; under weft the ledger decides, so that all validators agree (spec/chaincode.md §12.6).
    const isTaken = compatibility === 'weft' ? this.deployments.isDeployed(name) : this.running.get(name) !== undefined
    if (isTaken) throw refusal(texts.alreadyRunning(name))
    return deployment
  }

  private async deploy(batch: ExecutingBatch, transaction: Transaction, deployment: Deployment, isLast: boolean): Promise<Attempt> {
    const { txid } = transaction
    const { name, args } = deployment
    const input = encode(ChaincodeInput, { args: [...args] })
    const securityContext = securityContextOf(transaction, input, this.options.security)
    const cause: LaunchCause = { txid, securityContext, kind: 'transaction' }
    const state = batch.begin(txid)
    const execution = new Execution(transaction, state, this.options.ledger.committed)
    const makeInit = () => new ChaincodeCall('init', name, input, args, securityContext, execution.stateFor(name, 'init'), execution, [], this.nested)
    let error: string | undefined
    let isLost = false
    try {
      await this.starter.deploy(deployment, cause, makeInit)
    } catch (failure) {
      isLost = isLocalFault(failure)
      const isStart = failure instanceof PeerError && failure.code === 'ERR_CHAINCODE_LOST'
      error = isStart ? texts.initFailed(failure.message) : messageOf(failure)
    }
    await execution.settled()
    if (execution.fault !== undefined) throw execution.fault.cause
    if (error === undefined && execution.lost !== undefined) {
      error = texts.initFailed(execution.lost.message)
      isLost = true
      const entry = this.running.get(name)
      if (entry !== undefined) this.running.end(entry.runtime, error)
    }
    state.finish(error === undefined)
    if (isLost && !isLast) return 'again'
    if (error !== undefined) return { txid, error }
    this.deployments.remember(deployment)
    const entry = this.running.get(name)
    if (entry !== undefined && this.deploysAreChecked) entry.deployedIn = batch
    return { txid }
  }

  /** Whether the ledger decides what is deployed; originals, and developers, go by what runs. */
  private get deploysAreChecked(): boolean {
    const { mode, compatibility } = this.options.settings
    return mode === 'net' && compatibility === 'weft'
  }
}

/** What `read` returns, or its failure as a rejection's text. */
function readOr<T>(read: () => T, asError: (why: string) => string): T | string {
  try {
    return read()
  } catch (cause) {
    return asError(messageOf(cause))
  }
}
