import { type Logger, messageOf } from '../../../kernel/index.js'
import type { ChaincodeRuntime } from '../runtime.js'
import type { Execution } from './execution.js'

/** A chaincode that is connected or running. */
export interface RunningChaincode {
  readonly runtime: ChaincodeRuntime
  /** `established`: neither INIT nor READY was sent. `init`: INIT runs. */
  state: 'established' | 'init' | 'ready'
  /** While `init`: settles when it ended, either way. */
  initialised: Promise<void> | undefined
  /** The batch whose deploy started it, until that deploy is known to be committed: a batch may be rolled back. */
  deployedIn: object | undefined
}

/** The running map (spec/chaincode.md §3.5): at most one runtime a name. A runtime that ends removes its own entry and no other's. */
export class RunningChaincodes {
  private readonly byName = new Map<string, RunningChaincode>()
  private readonly closing = new Map<string, Promise<void>>()

  constructor(private readonly log: Logger) {}

  /** Enters a runtime that neither INIT nor READY has reached. Returns `undefined` if the name is taken. */
  add(runtime: ChaincodeRuntime): RunningChaincode | undefined {
    if (this.byName.has(runtime.name)) return undefined
    const entry: RunningChaincode = { runtime, state: 'established', initialised: undefined, deployedIn: undefined }
    this.byName.set(runtime.name, entry)
    runtime.onClosed((reason) => {
      if (this.byName.get(runtime.name) !== entry) return
      this.byName.delete(runtime.name)
      this.log.info(`chaincode ${runtime.name} is gone`, { reason })
    })
    return entry
  }

  get(name: string): RunningChaincode | undefined {
    return this.byName.get(name)
  }

  /** The runtime if it can take calls at once. */
  ready(name: string): ChaincodeRuntime | undefined {
    const entry = this.byName.get(name)
    return entry?.state === 'ready' ? entry.runtime : undefined
  }

  names(): readonly string[] {
    return [...this.byName.keys()].sort()
  }

  /** Takes a runtime out at once and ends it. Resolves when it is gone; never rejects. */
  close(runtime: ChaincodeRuntime, reason: string): Promise<void> {
    if (this.byName.get(runtime.name)?.runtime === runtime) this.byName.delete(runtime.name)
    const closed = runtime
      .close(reason)
      .catch((cause: unknown) => this.log.error(`chaincode ${runtime.name} did not end in order`, { cause: messageOf(cause) }))
      .finally(() => {
        if (this.closing.get(runtime.name) === closed) this.closing.delete(runtime.name)
      })
    this.closing.set(runtime.name, closed)
    return closed
  }

  /** The same without waiting: a chaincode that hangs may be slow to die. `closed` and `closeAll` know of it. */
  end(runtime: ChaincodeRuntime, reason: string): void {
    void this.close(runtime, reason)
  }

  /** Gives up an execution, and ends the chaincodes that work for it. */
  abandon(execution: Execution, reason: string): void {
    execution.abandon()
    for (const callee of execution.callees) this.end(callee, reason)
  }

  /** Resolves when an earlier runtime of that name, if any, is gone. */
  async closed(name: string): Promise<void> {
    await this.closing.get(name)
  }

  async closeAll(reason: string): Promise<void> {
    const left = [...this.byName.values()]
    await Promise.all(left.map(({ runtime }) => this.close(runtime, reason)))
    await Promise.all(this.closing.values())
  }
}
