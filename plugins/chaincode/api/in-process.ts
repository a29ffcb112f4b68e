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
        const settle = <T>(then: (value: T) => void) => (value: T) => {
          waiting.delete(reject)
          then(value)
        }
        const info = { kind: call.kind, txid: call.txid, args: call.args, context: contextOf(call) }
        runCall(chaincode, info, new DirectPort(call), host).then(settle(resolve), settle(reject))
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

/** State of a call, as the API asks for it. Answers at once where the peer does. */
class DirectPort implements CallPort {
  readonly #call: Call
  readonly #state: CallState

  constructor(call: Call) {
    this.#call = call
    this.#state = call.state
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = refusable(() => this.#state.get(key))
    return value === undefined ? undefined : new Uint8Array(value)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    refusable(() => this.#state.put(key, value))
  }

  delete(key: Uint8Array): void {
    refusable(() => this.#state.delete(key))
  }

  range(startKey: Uint8Array, endKey: Uint8Array): RangeCursor {
    return new DirectCursor(refusable(() => this.#state.range(startKey, endKey)))
  }

  async callChaincode(kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallResult> {
    try {
      return await (kind === 'invoke' ? this.#call.invokeChaincode(name, args) : this.#call.queryChaincode(name, args))
    } catch (cause) {
      throw refusal(cause)
    }
  }
}

class DirectCursor implements RangeCursor {
  readonly #entries: AsyncIterator<StateEntry>
  #ahead: StateEntry | undefined
  #started = false

  constructor(entries: AsyncIterable<StateEntry>) {
    this.#entries = entries[Symbol.asyncIterator]()
  }

  async next(): Promise<readonly Entry[] | undefined> {
    if (this.#started && this.#ahead === undefined) return undefined
    try {
      const { batch, ahead } = await readBatch(this.#entries, this.#ahead, RANGE_BATCH)
      this.#started = true
      this.#ahead = ahead
      return batch.map(({ key, value }) => ({ key: new Uint8Array(key), value: new Uint8Array(value) }))
    } catch (cause) {
      throw refusal(cause)
    }
  }

  async close(): Promise<void> {
    await this.#entries.return?.()
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
