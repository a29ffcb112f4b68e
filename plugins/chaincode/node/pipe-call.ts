import {
  ChaincodeMessage,
  ChaincodeMessage_Type as Type,
  ChaincodeSpec,
  decode,
  encode,
  PutStateInfo,
  RangeQueryState,
  RangeQueryStateClose,
  RangeQueryStateNext,
  RangeQueryStateResponse,
} from '../../../proto/index.js'
import { messageOf as textOf } from '../../../kernel/index.js'
import type { StateEntry } from '../../ledger/index.js'
import { utf8 } from '../api/bytes.js'
import { messageOf } from '../api/message-port.js'
import { RANGE_BATCH, readBatch } from '../api/range-batch.js'
import type { Call, CallResult } from '../runtime.js'
import type { ReadForecast } from './read-forecast.js'

/** Open range queries of one call. */
const MAX_RANGES = 1000
const NOTHING = new Uint8Array(0)

interface OpenRange {
  readonly entries: AsyncIterator<StateEntry>
  ahead: StateEntry | undefined
}

/** The chaincode's process did something that no process of ours does. */
export class PipeViolation extends Error {}

/** The pipe, as one call sees it. */
export interface CallPipe {
  send(message: ChaincodeMessage): void
  /** The process must not go on. */
  violated(violation: unknown): void
  /** The call has its result: its txid is free again. */
  completed(txid: string): void
  readonly forecast: ReadForecast
}

/**
 * Serves the requests of one call, strictly in order. Everything that arrives is hostile until checked;
 * writes are checked by the call's state exactly as PUT_STATE is, and the first refusal fails the call.
 */
export class PipeCall {
  /** Resolves with what the chaincode answered. */
  readonly result: Promise<CallResult>
  readonly #call: Call
  readonly #pipe: CallPipe
  readonly #maxWriteBytes: number
  readonly #ranges = new Map<string, OpenRange>()
  readonly #queue: ChaincodeMessage[] = []
  #settle: (result: CallResult) => void = () => {}
  #reject: (error: Error) => void = () => {}
  #busy = false
  #writtenBytes = 0
  #rangeCount = 0
  #writeRefusal: string | undefined

  constructor(call: Call, pipe: CallPipe, maxWriteBytes: number) {
    this.#call = call
    this.#pipe = pipe
    this.#maxWriteBytes = maxWriteBytes
    this.result = new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#reject = reject
    })
  }

  /** Requests that wait for earlier ones. */
  get waiting(): number {
    return this.#queue.length
  }

  /** The messages that start the call: values that it will probably read, and the call itself. */
  get opening(): ChaincodeMessage[] {
    const { kind, txid, input, securityContext } = this.#call
    const type = kind === 'init' ? Type.INIT : kind === 'invoke' ? Type.TRANSACTION : Type.QUERY
    const opening = { ...messageOf(type, txid), securityContext: { ...securityContext, payload: input } }
    const keys = this.#pipe.forecast.keys(this.#call)
    return keys.length === 0 ? [opening] : [messageOf(Type.RESPONSE, txid, this.#foreseen(keys)), opening]
  }

  /** Takes a message of this call. Throws PipeViolation. */
  take(message: ChaincodeMessage): void {
    if (this.#busy) this.#queue.push(message)
    else this.#start(message)
  }

  abandon(error: Error): void {
    this.#reject(error)
  }

  /** Serves at once what can be, and comes back for the rest. */
  #start(message: ChaincodeMessage): void {
    const work = this.#serve(message)
    if (work === undefined) return
    this.#busy = true
    work.then(() => this.#continue()).catch((error: unknown) => this.#pipe.violated(error))
  }

  #continue(): void {
    this.#busy = false
    while (!this.#busy) {
      const next = this.#queue.shift()
      if (next === undefined) return
      this.#start(next)
    }
  }

  #serve({ type, payload, chaincodeEvent }: ChaincodeMessage): Promise<void> | undefined {
    const { kind, state } = this.#call
    switch (type) {
      case Type.GET_STATE:
        this.#pipe.forecast.observe(this.#call, payload)
        return this.#answer(() => state.get(payload) ?? NOTHING)
      case Type.PUT_STATE: {
        const { key, value } = decode(PutStateInfo, payload)
        // Copies: what was decoded are views of a whole read from the pipe.
        this.#write(key.length + value.length, () => state.put(new Uint8Array(key), new Uint8Array(value)))
        return undefined
      }
      case Type.DEL_STATE:
        this.#write(payload.length, () => state.delete(new Uint8Array(payload)))
        return undefined
      case Type.RANGE_QUERY_STATE:
        return this.#respond(this.#openRange(payload))
      case Type.RANGE_QUERY_STATE_NEXT:
        return this.#respond(this.#nextBatch(decode(RangeQueryStateNext, payload).ID))
      case Type.RANGE_QUERY_STATE_CLOSE:
        return this.#respond(this.#closeRange(decode(RangeQueryStateClose, payload).ID))
      case Type.INVOKE_CHAINCODE:
      case Type.INVOKE_QUERY:
        return this.#respond(this.#callChaincode(type, payload))
      case Type.COMPLETED:
      case Type.ERROR:
        if (kind !== 'query') return this.#end(type === Type.COMPLETED, payload, chaincodeEvent)
        break
      case Type.QUERY_COMPLETED:
      case Type.QUERY_ERROR:
        if (kind === 'query') return this.#end(type === Type.QUERY_COMPLETED, payload, undefined)
        break
      case Type.UNDEFINED:
      case Type.REGISTER:
      case Type.REGISTERED:
      case Type.INIT:
      case Type.READY:
      case Type.TRANSACTION:
      case Type.RESPONSE:
      case Type.QUERY:
      case Type.KEEPALIVE:
        break
    }
    throw new PipeViolation(`message type ${Type[type] ?? type} does not belong into an ${kind}`)
  }

  #foreseen(keys: readonly Uint8Array[]): Uint8Array {
    const keysAndValues = keys.flatMap((key) => {
      try {
        return [{ key, value: this.#call.state.get(key) ?? NOTHING }]
      } catch {
        return [] // Whatever is wrong will be told if the chaincode really asks.
      }
    })
    return encode(RangeQueryStateResponse, { keysAndValues, hasMore: false, ID: '' })
  }

  #answer(read: () => Uint8Array): undefined {
    try {
      this.#reply(Type.RESPONSE, read())
    } catch (error) {
      this.#reply(Type.ERROR, utf8(textOf(error)))
    }
  }

  async #respond(work: Promise<Uint8Array>): Promise<void> {
    try {
      this.#reply(Type.RESPONSE, await work)
    } catch (error) {
      this.#reply(Type.ERROR, utf8(textOf(error)))
    }
  }

  #write(bytes: number, write: () => void): void {
    if (this.#writeRefusal !== undefined) return
    this.#writtenBytes += bytes
    try {
      if (this.#writtenBytes > this.#maxWriteBytes) throw new RangeError(`the chaincode wrote more than ${this.#maxWriteBytes} bytes in one transaction`)
      write()
    } catch (error) {
      this.#writeRefusal = textOf(error)
    }
  }

  async #openRange(payload: Uint8Array): Promise<Uint8Array> {
    if (this.#ranges.size >= MAX_RANGES) throw new Error(`more than ${MAX_RANGES} open range queries`)
    const { startKey, endKey } = decode(RangeQueryState, payload)
    const id = String((this.#rangeCount += 1))
    const entries = this.#call.state.range(new Uint8Array(startKey), new Uint8Array(endKey))[Symbol.asyncIterator]()
    this.#ranges.set(id, { entries, ahead: undefined })
    return this.#nextBatch(id)
  }

  async #nextBatch(id: string): Promise<Uint8Array> {
    const range = this.#ranges.get(id)
    if (range === undefined) throw new Error('Range query iterator not found')
    const { batch, ahead } = await readBatch(range.entries, range.ahead, RANGE_BATCH)
    range.ahead = ahead
    if (ahead === undefined) this.#ranges.delete(id)
    return encode(RangeQueryStateResponse, { keysAndValues: batch.map(({ key, value }) => ({ key, value })), hasMore: ahead !== undefined, ID: id })
  }

  async #closeRange(id: string): Promise<Uint8Array> {
    const range = this.#ranges.get(id)
    this.#ranges.delete(id)
    await range?.entries.return?.()
    return encode(RangeQueryStateResponse, { keysAndValues: [], hasMore: false, ID: id })
  }

  async #closeAll(): Promise<void> {
    for (const { entries } of this.#ranges.values()) await entries.return?.()
    this.#ranges.clear()
  }

  async #callChaincode(type: Type.INVOKE_CHAINCODE | Type.INVOKE_QUERY, payload: Uint8Array): Promise<Uint8Array> {
    const { chaincodeID, ctorMsg } = decode(ChaincodeSpec, payload)
    const name = chaincodeID?.name ?? ''
    const args = (ctorMsg?.args ?? []).map((arg) => new Uint8Array(arg))
    const isInvoke = type === Type.INVOKE_CHAINCODE
    if (isInvoke && this.#call.kind === 'query') throw new Error('Cannot handle INVOKE_CHAINCODE in query context')
    const { ok, payload: answer } = await (isInvoke ? this.#call.invokeChaincode(name, args) : this.#call.queryChaincode(name, args))
    const nested = isInvoke ? (ok ? Type.COMPLETED : Type.ERROR) : ok ? Type.QUERY_COMPLETED : Type.QUERY_ERROR
    return encode(ChaincodeMessage, messageOf(nested, this.#call.txid, answer))
  }

  #reply(type: Type, payload: Uint8Array): void {
    this.#pipe.send(messageOf(type, this.#call.txid, payload))
  }

  #end(ok: boolean, payload: Uint8Array, event: ChaincodeMessage['chaincodeEvent']): Promise<void> | undefined {
    this.#pipe.completed(this.#call.txid)
    const refused = ok ? this.#writeRefusal : undefined
    this.#settle({
      ok: ok && refused === undefined,
      payload: refused === undefined ? new Uint8Array(payload) : utf8(refused),
      ...(event === undefined ? {} : { event: { name: event.eventName, payload: new Uint8Array(event.payload) } }),
    })
    return this.#ranges.size === 0 ? undefined : this.#closeAll()
  }
}
