import { type Logger, PeerError } from '../../../kernel/index.js'
import type { StateEntry } from '../../ledger/index.js'
import type { Call, CallResult, ChaincodeRuntime, CallState } from '../runtime.js'
import { RequestError } from './errors.js'
import { createHost } from './host.js'
import type { CallContext, CallPort, Entry, RangeCursor } from './port.js'
import { RANGE_BATCH, readBatch } from './range-batch.js'
import { runCall } from './run.js'
import type { Chaincode } from './types.js'

/** What {@link createInProcessRuntime} may be given. */
export interface InProcessOptions {
  /** Where the chaincode's own lines go; default: nowhere. */
  readonly log?: Pick<Logger, 'debug' | 'info' | 'warning' | 'error'>
}

/**
 * Runs trusted chaincode inside the peer, on the call itself: no messages, no copies but of keys and values.
 * It contains nothing: an endless loop in the chaincode is an endless loop in the peer.
 */
export function createInProcessRuntime(name: string, chaincode: Chaincode, { log }: InProcessOptions = {}): ChaincodeRuntime {
  const host = createHost((level, message) => log?.[level](message))
  const waiting = new Set<(error: PeerError) => void>()
  const listeners = new Set<(reason: string) => void>()
  let closed: string | undefined

  return {
    name,
    call(call) {
      if (closed !== undefined) return Promise.reject(lost(name, closed))
      return new Promise<CallResult>((resolve, reject) => {
        waiting.add(reject)
        const info = { kind: call.kind, txid: call.txid, args: call.args, context: contextOf(call) }
        runCall(chaincode, info, new DirectPort(call), host).then(
          (outcome) => {
            waiting.delete(reject)
            resolve(outcome)
          },
          (cause: unknown) => {
            waiting.delete(reject)
            reject(cause)
          },
        )
      })
    },
    async close(reason) {
      if (closed !== undefined) return
      closed = reason
      for (const reject of waiting) reject(lost(name, reason))
      waiting.clear()
      for (const listener of listeners) listener(reason)
    },
    onClosed(listener) {
      if (closed === undefined) listeners.add(listener)
      else listener(closed)
    },
  }
}

/**
 * State of a call, as the API asks for it. Answers at once, except behind a range query or a call of another chaincode:
 * requests act in the order in which they are made, here as over a stream.
 */
class DirectPort implements CallPort {
  readonly #call: Call
  readonly #state: CallState
  /** Resolves when the requests before the next one are done; nothing: they are. */
  #before: Promise<void> | undefined

  constructor(call: Call) {
    this.#call = call
    this.#state = call.state
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    return this.#before === undefined ? this.#read(key) : this.#before.then(() => this.#read(key))
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> | void {
    if (this.#before !== undefined) return this.#before.then(() => refusable(() => this.#state.put(key, value)))
    refusable(() => this.#state.put(key, value))
  }

  delete(key: Uint8Array): Promise<void> | void {
    if (this.#before !== undefined) return this.#before.then(() => refusable(() => this.#state.delete(key)))
    refusable(() => this.#state.delete(key))
  }

  range(startKey: Uint8Array, endKey: Uint8Array): RangeCursor {
    const cursor = new DirectCursor(() => this.#state.range(startKey, endKey))
    return { next: () => this.#inTurn(() => cursor.next()), close: () => this.#inTurn(() => cursor.close()) }
  }

  callChaincode(kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallResult> {
    return this.#inTurn(() => (kind === 'invoke' ? this.#call.invokeChaincode(name, args) : this.#call.queryChaincode(name, args)))
  }

  #read(key: Uint8Array): Uint8Array | undefined {
    const value = refusable(() => this.#state.get(key))
    return value === undefined ? undefined : new Uint8Array(value)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#before === undefined ? work() : this.#before.then(work)
    const done = running.then(
      () => {},
      () => {}, // Its own caller is told, below; those who wait only need to know that it is over.
    )
    this.#before = done
    // The first to hear of the end: whoever waits comes right after, and whoever comes later need not wait.
    const cleared = done.then(() => {
      if (this.#before === done) this.#before = undefined
    })
    try {
      return await running
    } catch (cause) {
      throw refusal(cause)
    } finally {
      await cleared
    }
  }
}

class DirectCursor {
  readonly #open: () => AsyncIterable<StateEntry>
  #entries: AsyncIterator<StateEntry> | undefined
  #ahead: StateEntry | undefined
  #exhausted = false

  constructor(open: () => AsyncIterable<StateEntry>) {
    this.#open = open
  }

  async next(): Promise<readonly Entry[] | undefined> {
    if (this.#exhausted) return undefined
    this.#entries ??= this.#open()[Symbol.asyncIterator]()
    const { batch, ahead } = await readBatch(this.#entries, this.#ahead, RANGE_BATCH)
    this.#ahead = ahead
    this.#exhausted = ahead === undefined
    return batch.map(({ key, value }) => ({ key: new Uint8Array(key), value: new Uint8Array(value) }))
  }

  async close(): Promise<void> {
    await this.#entries?.return?.()
  }
}

function contextOf(call: Call): CallContext {
  const { callerCert, binding, metadata, txTimestamp } = call.securityContext
  return { callerCert, binding, metadata, payload: call.input, txTimestamp }
}

function refusable<T>(request: () => T): T {
  try {
    return request()
  } catch (cause) {
    throw refusal(cause)
  }
}

function refusal(cause: unknown): RequestError {
  return new RequestError(cause instanceof Error ? cause.message : String(cause), { cause })
}

function lost(name: string, reason: string): PeerError {
  return new PeerError('ERR_CHAINCODE_LOST', `chaincode ${name} ended before it answered: ${reason}`, { retryable: true, details: { name, reason } })
}
