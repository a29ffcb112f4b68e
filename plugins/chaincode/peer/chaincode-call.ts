import type { ChaincodeSecurityContext } from '../../../proto/index.js'
import type { Call, CallResult } from '../runtime.js'
import type { BoundedCallState } from './call-state.js'
import type { Execution } from './execution.js'

/** Carries out calls that a chaincode makes to others. */
export interface NestedCalls {
  call(caller: ChaincodeCall, kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallResult>
}

/** One call of one chaincode, as its runtime sees it. */
export class ChaincodeCall implements Call {
  /** After its end, a call can neither use state nor call others. */
  hasEnded = false

  constructor(
    readonly kind: 'init' | 'invoke' | 'query',
    /** The chaincode that is called. */
    readonly name: string,
    readonly input: Uint8Array,
    readonly args: readonly Uint8Array[],
    readonly securityContext: ChaincodeSecurityContext,
    readonly state: BoundedCallState,
    readonly execution: Execution,
    /** The chaincodes that wait for this call, outermost first. */
    readonly callers: readonly string[],
    private readonly nested: NestedCalls,
  ) {}

  get txid(): string {
    return this.execution.transaction.txid
  }

  invokeChaincode(name: string, args: readonly Uint8Array[]): Promise<CallResult> {
    return this.execution.track(this.nested.call(this, 'invoke', name, args))
  }

  queryChaincode(name: string, args: readonly Uint8Array[]): Promise<CallResult> {
    return this.execution.track(this.nested.call(this, 'query', name, args))
  }

  /** Nothing is returned if nothing has to be waited for. */
  end(): Promise<void> | undefined {
    this.hasEnded = true
    return this.state.end()
  }
}
