import { messageOf } from '../../../kernel/index.js'
import { ChaincodeInput, ConfidentialityLevel, encode } from '../../../proto/index.js'
import type { CallResult, ChaincodeRuntime } from '../runtime.js'
import { ChaincodeCall, type NestedCalls } from './chaincode-call.js'
import { requireName } from './deployments.js'
import { isLocalFault, refusal } from './errors.js'
import { calleeSecurityContext, type ChaincodeSupportOptions } from './options.js'
import type { CallRunner } from './call-runner.js'
import type { ChaincodeStarter } from './starter.js'
import { texts } from './texts.js'

/**
 * Chaincode calling chaincode (spec/chaincode.md §8). Every failure is an answer, `ok: false`, and never an exception: it reaches the caller
 * inside RESPONSE, since an ERROR reply is fatal for Go chaincodes.
 */
export class ChaincodeToChaincode implements NestedCalls {
  constructor(
    private readonly options: ChaincodeSupportOptions,
    private readonly starter: ChaincodeStarter,
    private readonly runner: CallRunner,
  ) {}

  async call(caller: ChaincodeCall, kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallResult> {
    try {
      return await this.attempt(caller, kind, name, args)
    } catch (cause) {
      if (isLocalFault(cause)) caller.execution.lost ??= cause
      return { ok: false, payload: Buffer.from(messageOf(cause)) }
    }
  }

  private async attempt(caller: ChaincodeCall, kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallResult> {
    const { execution } = caller
    const { transaction } = execution
    this.check(caller, kind, name)
    const input = encode(ChaincodeInput, { args: [...args] })
    const securityContext = calleeSecurityContext(transaction, input, this.options.security)
    const runtime = await this.starter.launch(name, { txid: transaction.txid, securityContext, kind: caller.kind === 'query' ? 'query' : 'transaction' })
    if (caller.hasEnded) throw refusal(`${caller.name} ended before its call of ${name} began`)
    const callers = [...caller.callers, caller.name]
    const call = new ChaincodeCall(kind, name, input, args, securityContext, execution.stateFor(name, kind), execution, callers, this)
    return this.run(call, runtime)
  }

  private async run(call: ChaincodeCall, runtime: ChaincodeRuntime): Promise<CallResult> {
    call.execution.callees.add(runtime)
    try {
      return await this.runner.run(call, runtime)
    } finally {
      call.execution.callees.delete(runtime)
    }
  }

  private check(caller: ChaincodeCall, kind: 'invoke' | 'query', name: string): void {
    const { transaction } = caller.execution
    requireName(name)
    if (caller.hasEnded) throw refusal(`${caller.name} has ended: it cannot call ${name}`)
    if (kind === 'invoke' && caller.kind === 'query') throw refusal(texts.notInQuery('INVOKE_CHAINCODE'))
    if (this.options.security !== undefined && transaction.confidentialityLevel !== ConfidentialityLevel.PUBLIC) {
      throw refusal(texts.callsNeedPublic(transaction.txid))
    }
    if (name === caller.name || caller.callers.includes(name)) {
      throw refusal(texts.sending(kind === 'invoke' ? 'TRANSACTION' : 'QUERY', texts.txidExists(transaction.txid)))
    }
    if (this.starter.systems.get(name)?.callable === false) throw refusal(`chaincode ${name} cannot be called by other chaincodes`)
  }
}
