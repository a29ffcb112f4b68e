import type { Transaction } from '../../../proto/index.js'
import type { CommittedState, TransactionState } from '../../ledger/index.js'
import type { ChaincodeRuntime } from '../runtime.js'
import { ReadOnlyCallState, type BoundedCallState, WritableCallState } from './call-state.js'

/** One attempt to execute a top-level transaction or query, with everything that it calls. */
export class Execution {
  /** A chaincode went away in the middle, the called one or one that it called: a local fault, not an outcome. */
  lost: Error | undefined
  /** The ledger failed; nothing that was computed since can be trusted. */
  fault: { readonly cause: unknown } | undefined
  private working: Set<ChaincodeRuntime> | undefined
  private nested: Set<Promise<unknown>> | undefined
  private isAbandoned = false

  constructor(
    readonly transaction: Transaction,
    /** `undefined` for a query. */
    private readonly state: TransactionState | undefined,
    /** What queries see, also those made by a transaction (spec/chaincode.md §8). */
    private readonly committed: CommittedState,
  ) {}

  /** True for a client's query, with all that it calls. */
  get isQuery(): boolean {
    return this.state === undefined
  }

  /** Chaincodes that work for a call of another one; few transactions have any. */
  get callees(): Set<ChaincodeRuntime> {
    return (this.working ??= new Set())
  }

  /** State of a chaincode's namespace for one call. */
  stateFor(name: string, kind: 'init' | 'invoke' | 'query'): BoundedCallState {
    const namespace = Buffer.from(name)
    if (kind === 'query' || this.state === undefined) return new ReadOnlyCallState(namespace, this.committed, this.onFault)
    return new WritableCallState(namespace, this.state, this.onFault)
  }

  /** Counts a nested call as part of this execution until it settles. */
  track<T>(call: Promise<T>): Promise<T> {
    const nested = (this.nested ??= new Set())
    nested.add(call)
    const forget = () => nested.delete(call)
    call.then(forget, forget)
    return call
  }

  /** The top-level call took too long: its writes are dropped, so that nothing it started has to be waited for. */
  abandon(): void {
    this.isAbandoned = true
  }

  /** Resolves when no nested call is under way. A chaincode may end without waiting for what it asked for; every validator does wait. */
  async settled(): Promise<void> {
    while (this.nested !== undefined && this.nested.size > 0 && !this.isAbandoned) await Promise.allSettled(this.nested)
  }

  /** Whether there were nested calls, so that `settled` may have to wait. */
  get hasNested(): boolean {
    return this.nested !== undefined
  }

  private readonly onFault = (cause: unknown): void => {
    this.fault ??= { cause }
  }
}
