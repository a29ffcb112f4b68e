import type { ChaincodeSecurityContext } from '../../proto/index.js'
import type { StateEntry } from '../ledger/index.js'

/** State as one call may use it: bound to one chaincode name and one transaction (or to committed state, for a query). */
export interface CallState {
  get(key: Uint8Array): Uint8Array | undefined
  /** Throws in a query (`Cannot handle PUT_STATE in query context`), for an empty key or value, and after the call has ended. */
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  range(startKey: Uint8Array, endKey: Uint8Array): AsyncIterable<StateEntry>
}

/** One init, invoke or query of one chaincode. */
export interface Call {
  readonly kind: 'init' | 'invoke' | 'query'
  readonly txid: string
  /** Serialised ChaincodeInput; equal to `securityContext.payload`. */
  readonly input: Uint8Array
  readonly args: readonly Uint8Array[]
  readonly securityContext: ChaincodeSecurityContext
  readonly state: CallState
  /** Calls another chaincode within this transaction (spec/chaincode.md §8). `ok: false`: its error text is the payload. */
  invokeChaincode(name: string, args: readonly Uint8Array[]): Promise<CallResult>
  /** Queries another chaincode: committed state only. */
  queryChaincode(name: string, args: readonly Uint8Array[]): Promise<CallResult>
}

/** How a call ended, as the chaincode said. */
export interface CallResult {
  readonly ok: boolean
  /** Result, or error text. */
  readonly payload: Uint8Array
  /** The last event set; also with `ok: false`. */
  readonly event?: { readonly name: string; readonly payload: Uint8Array }
}

/**
 * A running chaincode, wherever it runs: inside the peer, in a sandboxed process behind a pipe, or behind a `Register` stream.
 * At most one init or invoke runs at a time; queries run beside it.
 */
export interface ChaincodeRuntime {
  readonly name: string
  /**
   * Told once before the first call when no `init` call precedes it: the chaincode was deployed earlier, or its deploy has no arguments
   * (READY, spec/chaincode.md §5.2). Runtimes that need no such notice leave it out.
   */
  notifyReady?(call: Pick<Call, 'txid' | 'securityContext'>): void
  /**
   * Rejects with ERR_CHAINCODE_LOST (`retryable`) if the process or stream ended before the answer. The caller sets time limits:
   * on a time-out it calls `close`, since the chaincode is in an unknown state.
   */
  call(call: Call): Promise<CallResult>
  /**
   * Gives up a client's query that took too long; an answer that comes later is ignored. For runtimes that the peer cannot start anew and whose
   * queries run beside everything else. The others leave it out and are ended, since a query that loops keeps the whole process busy.
   */
  forget?(txid: string): void
  /** Ends stream or process; calls in flight reject with ERR_CHAINCODE_LOST. */
  close(reason: string): Promise<void>
  /** Runs once when the runtime is gone, for whatever reason. */
  onClosed(listener: (reason: string) => void): void
}

/** A package made from source by the peer that accepts a deploy (spec/chaincode.md §12). */
export interface CodePackage {
  /** Deterministic name: hex of 64 bytes. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a launcher is told besides name and package. */
export interface LaunchFacts {
  /** `chaincodeID.path` of the deploy. */
  readonly path: string
  /** For its deploy, and not for a later call: what was built for an earlier chaincode of that name is of no use. */
  readonly isDeploy: boolean
  /** Aborted when nobody waits any more: what was started is to be stopped. */
  readonly signal: AbortSignal
}

/** What runs deployed code of one language. */
export interface ChaincodeLauncher {
  /** `ChaincodeSpec.type` number that it serves. */
  readonly type: number
  /** Packages source. Throws v0.6's texts for missing path, empty arguments (spec/chaincode.md §12.3). */
  pack(path: string, input: Uint8Array): Promise<CodePackage>
  /** Starts the package; resolves when it is ready for calls. Throws ERR_CHAINCODE_LAUNCH with what to install or fix. */
  launch(name: string, codePackage: Uint8Array, facts: LaunchFacts): Promise<ChaincodeRuntime>
}
