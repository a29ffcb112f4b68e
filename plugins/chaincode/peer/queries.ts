import { PeerError, messageOf } from '../../../kernel/index.js'
import { type Transaction, Transaction_Type } from '../../../proto/index.js'
import type { CallResult, ChaincodeRuntime } from '../runtime.js'
import type { CallRunner } from './call-runner.js'
import { ChaincodeCall, type NestedCalls } from './chaincode-call.js'
import { isLocalFault } from './errors.js'
import { Execution } from './execution.js'
import { type Invocation, readInvocation } from './invocation.js'
import { type ChaincodeSupportOptions, securityContextOf } from './options.js'
import type { QueryGate } from './query-gate.js'
import type { ChaincodeStarter } from './starter.js'
import { texts } from './texts.js'

const RESOURCE_EXHAUSTED = 8

/** Runs queries at once, beside each other and beside everything else, each on its own view of committed state (spec/chaincode.md §5.6). */
export class Queries {
  private inFlight = 0

  constructor(
    private readonly options: ChaincodeSupportOptions,
    private readonly starter: ChaincodeStarter,
    private readonly runner: CallRunner,
    private readonly nested: NestedCalls,
    private readonly gate: QueryGate,
  ) {}

  /** Throws a PeerError whose message is what v0.6 answers after `Error:`. */
  async query(transaction: Transaction): Promise<Uint8Array> {
    const { maxQueries } = this.options.settings
    if (this.inFlight >= maxQueries) {
      throw new PeerError('ERR_CHAINCODE_BUSY', `${maxQueries} queries are running already, no more are accepted`, {
        grpcStatus: RESOURCE_EXHAUSTED,
        retryable: true,
        hint: 'try again in a moment',
        details: { maxQueries },
      })
    }
    this.inFlight++
    try {
      return await this.run(transaction)
    } finally {
      this.inFlight--
    }
  }

  private async run(transaction: Transaction): Promise<Uint8Array> {
    if (transaction.type !== Transaction_Type.CHAINCODE_QUERY) throw failure(texts.invalidType(Transaction_Type[transaction.type] ?? String(transaction.type)))
    let invocation: Invocation
    try {
      invocation = readInvocation(transaction)
    } catch (cause) {
      throw failure(texts.launchFailed(messageOf(cause)), cause)
    }
    const first = await this.attempt(transaction, invocation, !this.starter.canRelaunch(invocation.name))
    const result = first ?? (await this.attempt(transaction, invocation, true))
    if (result === undefined) throw new PeerError('ERR_BROKEN_INVARIANT', 'broken invariant: the last attempt of a query decides')
    if (!result.ok) throw failure(texts.returnedFailure(Buffer.from(result.payload).toString()))
    return result.payload
  }

  /** `undefined`: a local fault, to be tried once more. */
  private async attempt(transaction: Transaction, { name, args, input }: Invocation, isLast: boolean): Promise<CallResult | undefined> {
    await this.gate.passed()
    const securityContext = securityContextOf(transaction, input, this.options.security)
    let runtime: ChaincodeRuntime
    try {
      runtime = await this.starter.launch(name, { txid: transaction.txid, securityContext, kind: 'query' })
    } catch (cause) {
      if (isLocalFault(cause) && !isLast) return undefined
      throw failure(texts.launchFailed(messageOf(cause)), cause)
    }
    const view = this.options.ledger.view()
    const execution = new Execution(transaction, undefined, view)
    const call = new ChaincodeCall('query', name, input, args, securityContext, execution.stateFor(name, 'query'), execution, [], this.nested)
    try {
      const result = await this.runner.run(call, runtime)
      await execution.settled()
      if (execution.lost !== undefined) throw execution.lost
      return result
    } catch (cause) {
      if (isLocalFault(cause) && !isLast) return undefined
      throw failure(texts.executeFailed(messageOf(cause)), cause)
    } finally {
      await execution.settled()
      await view.release()
    }
  }
}

function failure(text: string, cause?: unknown): PeerError {
  return new PeerError('ERR_CHAINCODE_QUERY_FAILED', text, cause === undefined ? {} : { cause })
}
