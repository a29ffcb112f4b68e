import { type Logger, messageOf as textOf, PeerError } from '../../../kernel/index.js'
import { ChaincodeMessage, ChaincodeMessage_Type as Type, decode, encode } from '../../../proto/index.js'
import { text } from '../api/bytes.js'
import type { Call, CallResult, ChaincodeRuntime } from '../runtime.js'
import { type ContainedProcess, FrameReader, joinFrames } from '../../sandbox/index.js'
import { type CallPipe, PipeCall, PipeViolation } from './pipe-call.js'
import { ReadForecast } from './read-forecast.js'

/** Bounds on what a chaincode's process may send. */
export interface PipeLimits {
  readonly maxFrameBytes: number
  /** Keys and values that one call may write. */
  readonly maxWriteBytes: number
}

/** Requests waiting in all calls, above which the pipe is not read. */
const MAX_WAITING = 1024

/** A chaincode in a process of its own, behind a pipe of length-prefixed ChaincodeMessages. */
export class PipeRuntime implements ChaincodeRuntime {
  readonly name: string
  readonly #process: ContainedProcess
  readonly #limits: PipeLimits
  readonly #log: Logger
  readonly #calls = new Map<string, PipeCall>()
  readonly #listeners = new Set<(reason: string) => void>()
  readonly #reader: FrameReader
  readonly #pipe: CallPipe
  #isReady = false
  #onReady: ((failure?: string) => void) | undefined
  #ended: string | undefined
  #unsent: Uint8Array[] = []

  constructor(name: string, process: ContainedProcess, bundle: Uint8Array, limits: PipeLimits, log: Logger) {
    this.name = name
    this.#process = process
    this.#limits = limits
    this.#log = log
    this.#reader = new FrameReader(limits.maxFrameBytes)
    this.#pipe = {
      send: (message) => this.#send(message),
      violated: (violation) => this.#violated(violation),
      completed: (txid) => void this.#calls.delete(txid),
      forecast: new ReadForecast(),
    }
    process.pipe.on('data', (chunk: Buffer) => this.#receive(chunk))
    process.pipe.on('drain', () => this.#resume())
    process.pipe.on('end', () => process.kill('it closed its pipe'))
    process.ended.then((reason) => this.#lose(reason)).catch((error: unknown) => this.#lose(textOf(error)))
    process.pipe.write(joinFrames([Buffer.from(JSON.stringify({ maxFrameBytes: limits.maxFrameBytes })), bundle]))
  }

  /** Resolves when calls are welcome. Rejects with ERR_CHAINCODE_LAUNCH if the bundle does not load. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (failure?: string) =>
        failure === undefined ? resolve() : reject(new PeerError('ERR_CHAINCODE_LAUNCH', `chaincode ${this.name} did not start: ${failure}`))
      if (this.#isReady || this.#ended !== undefined) settle(this.#ended)
      else this.#onReady = settle
    })
  }

  call(call: Call): Promise<CallResult> {
    if (this.#ended !== undefined) return Promise.reject(this.#lost(this.#ended))
    if (this.#calls.has(call.txid)) return Promise.reject(new PeerError('ERR_CHAINCODE_BUSY', `txid:${call.txid} exists`))
    const serving = new PipeCall(call, this.#pipe, this.#limits.maxWriteBytes)
    this.#calls.set(call.txid, serving)
    for (const message of serving.opening) this.#send(message)
    return serving.result
  }

  async close(reason: string): Promise<void> {
    this.#process.kill(reason)
    await this.#process.ended
  }

  onClosed(listener: (reason: string) => void): void {
    if (this.#ended === undefined) this.#listeners.add(listener)
    else listener(this.#ended)
  }

  #receive(chunk: Buffer): void {
    if (this.#ended !== undefined) return
    try {
      for (const frame of this.#reader.push(chunk)) this.#dispatch(decode(ChaincodeMessage, frame))
    } catch (error) {
      this.#violated(error)
    }
    this.#flush()
    if (this.#isCongested()) this.#process.pipe.pause()
  }

  #dispatch(message: ChaincodeMessage): void {
    if (!this.#isReady) return this.#register(message)
    const call = this.#calls.get(message.txid)
    if (call === undefined)
      throw new PipeViolation(
        `a message of type ${Type[message.type] ?? message.type} for the unknown transaction ${JSON.stringify(message.txid.slice(0, 80))}`,
      )
    call.take(message)
  }

  #register({ type, payload }: ChaincodeMessage): void {
    if (type === Type.REGISTER) {
      this.#isReady = true
      this.#onReady?.()
    } else if (type === Type.ERROR) {
      this.#process.kill(text(payload.subarray(0, 4096)))
    } else throw new PipeViolation(`the first message is ${Type[type] ?? type} instead of REGISTER`)
  }

  /** Collects what is sent while a chunk is read, so that it goes out with one write. */
  #send(message: ChaincodeMessage): void {
    this.#unsent.push(encode(ChaincodeMessage, message))
    if (this.#unsent.length === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    if (this.#unsent.length === 0) return
    const frames = joinFrames(this.#unsent)
    this.#unsent = []
    if (this.#ended === undefined) this.#process.pipe.write(frames)
    this.#resume()
  }

  #isCongested(): boolean {
    if (this.#process.pipe.writableNeedDrain) return true
    let waiting = 0
    for (const call of this.#calls.values()) waiting += call.waiting
    return waiting > MAX_WAITING
  }

  #resume(): void {
    if (this.#process.pipe.isPaused() && !this.#isCongested()) this.#process.pipe.resume()
  }

  #violated(violation: unknown): void {
    this.#log.warning(`chaincode ${this.name} broke the rules of its pipe and is stopped: ${textOf(violation)}`)
    this.#process.kill(`it broke the rules of its pipe: ${textOf(violation)}`)
    this.#lose(`it broke the rules of its pipe: ${textOf(violation)}`)
  }

  #lose(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    if (!this.#isReady) this.#onReady?.(reason)
    for (const call of this.#calls.values()) call.abandon(this.#lost(reason))
    this.#calls.clear()
    for (const listener of this.#listeners) listener(reason)
  }

  #lost(reason: string): PeerError {
    return new PeerError('ERR_CHAINCODE_LOST', `chaincode ${this.name} ended before it answered: ${reason}`, {
      retryable: true,
      details: { name: this.name, reason },
    })
  }
}
