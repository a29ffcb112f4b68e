import { type Logger, messageOf } from '../../../kernel/index.js'
import type { Call, CallResult, ChaincodeRuntime } from '../runtime.js'

/** What holds the process of a chaincode: a container, a sandbox. */
export interface ProcessHolder {
  /** Ends the process and all that it started; nothing to do if it is gone. */
  stop(reason: string): Promise<void>
}

/** A chaincode of v0.6 that this peer started: the stream that it registered with, and what holds its process. They end together. */
export class LaunchedRuntime implements ChaincodeRuntime {
  private stopping: Promise<void> | undefined

  constructor(
    private readonly stream: ChaincodeRuntime,
    private readonly holder: ProcessHolder,
    log: Logger,
  ) {
    stream.onClosed((reason) => {
      this.stop(reason).catch((cause: unknown) => log.error(`the process of chaincode ${this.name} was not ended`, { cause: messageOf(cause) }))
    })
  }

  get name(): string {
    return this.stream.name
  }

  notifyReady(call: Pick<Call, 'txid' | 'securityContext'>): void {
    this.stream.notifyReady?.(call)
  }

  call(call: Call): Promise<CallResult> {
    return this.stream.call(call)
  }

  async close(reason: string): Promise<void> {
    await this.stream.close(reason)
    await this.stop(reason)
  }

  onClosed(listener: (reason: string) => void): void {
    this.stream.onClosed(listener)
  }

  private stop(reason: string): Promise<void> {
    this.stopping ??= this.holder.stop(reason)
    return this.stopping
  }
}
