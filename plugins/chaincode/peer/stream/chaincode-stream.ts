import { type Clock, type Logger, messageOf as textOf } from '../../../../kernel/index.js'
import { ChaincodeID, type ChaincodeMessage, ChaincodeMessage_Type as T, ChaincodeSpec, PutStateInfo, decode } from '../../../../proto/index.js'
import type { Call, CallResult, ChaincodeRuntime } from '../../runtime.js'
import { lostError, refusal } from '../errors.js'
import { texts } from '../texts.js'
import { type StreamState, transition } from './fsm.js'
import { Keepalive } from './keepalive.js'
import { messageOf, nestedMessage, textOfChaincodeID, typeName } from './messages.js'
import { MAX_WAITING_REQUESTS, type RequestType, StreamCall } from './stream-call.js'

/** The transport under a stream. */
export interface StreamPort {
  send(message: Uint8Array): void
  /** Ends the stream with a gRPC status. */
  end(status: number, message: string): void
}

export interface ChaincodeStreamOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Idle time after which KEEPALIVE is sent; 0: never (spec/chaincode.md §5.7). */
  readonly keepaliveMs: number
  /** A stream that has not registered by then is ended. */
  readonly registerTimeoutMs: number
  /** Makes ids of range queries: UUID version 4 texts. */
  readonly newId: () => string
  /** Enters the stream under its name. Returns why it cannot be entered; a duplicate gets the text of v0.6. */
  readonly admit: (stream: ChaincodeStream) => { readonly refused: string } | 'duplicate' | undefined
}

const UNKNOWN = 2
const OUT_OF_RANGE = 11
const EMPTY = new Uint8Array(0)
const REQUEST_TYPES = { init: 'INIT', invoke: 'TRANSACTION', query: 'QUERY' } as const

/**
 * The peer's side of one `Register` stream (spec/chaincode.md §3), and the runtime of the chaincode behind it. Messages are handled where they
 * arrive, one at a time; state is answered at once, without a promise.
 */
export class ChaincodeStream implements ChaincodeRuntime {
  private id = ''
  private current: StreamState = 'created'
  private endedBecause: string | undefined
  private readonly calls = new Map<string, StreamCall>()
  private readonly listeners: ((reason: string) => void)[] = []
  private readonly keepalive: Keepalive
  private cancelRegisterTimer: () => void

  constructor(
    private readonly port: StreamPort,
    private readonly options: ChaincodeStreamOptions,
  ) {
    const { clock, keepaliveMs, registerTimeoutMs } = options
    this.keepalive = new Keepalive(clock, keepaliveMs, () => this.port.send(messageOf(T.KEEPALIVE, '')))
    this.cancelRegisterTimer = clock.setTimer(registerTimeoutMs, () => this.fail(`no REGISTER within ${registerTimeoutMs} ms`))
  }

  /** Empty before REGISTER. */
  get name(): string {
    return this.id
  }

  get state(): StreamState {
    return this.current
  }

  /** Handles a message of the chaincode. Never throws. */
  receive(message: ChaincodeMessage): void {
    if (this.endedBecause !== undefined) return
    this.keepalive.touch()
    switch (message.type) {
      case T.GET_STATE:
      case T.PUT_STATE:
      case T.DEL_STATE:
      case T.RANGE_QUERY_STATE:
      case T.RANGE_QUERY_STATE_NEXT:
      case T.RANGE_QUERY_STATE_CLOSE:
      case T.INVOKE_CHAINCODE:
      case T.INVOKE_QUERY:
        return this.request(message.type, message)
      case T.COMPLETED:
      case T.ERROR:
        return this.ending(message)
      case T.QUERY_COMPLETED:
      case T.QUERY_ERROR:
        return this.queryEnding(message)
      case T.REGISTER:
        return this.register(message)
      case T.KEEPALIVE:
        return
      case T.UNDEFINED:
      case T.REGISTERED:
      case T.INIT:
      case T.READY:
      case T.TRANSACTION:
      case T.RESPONSE:
      case T.QUERY:
      default:
        this.misfit(message)
    }
  }

  /** The chaincode ended its side in order: it gets the status of v0.6. */
  halfClosed(): void {
    if (this.endedBecause !== undefined) return
    this.finish('it ended its stream')
    this.port.end(OUT_OF_RANGE, 'EOF')
  }

  /** The connection is gone. */
  gone(reason: string): void {
    if (this.endedBecause === undefined) this.finish(reason)
  }

  /** Ends the stream; `reason` goes into the status text. */
  fail(reason: string): void {
    if (this.endedBecause !== undefined) return
    this.options.log.warning(`ending the stream of chaincode ${this.id}`, { reason })
    this.finish(reason)
    this.port.end(UNKNOWN, `Error handling message, ending stream: ${reason}`)
  }

  async close(reason: string): Promise<void> {
    this.fail(reason)
  }

  onClosed(listener: (reason: string) => void): void {
    if (this.endedBecause === undefined) this.listeners.push(listener)
    else listener(this.endedBecause)
  }

  notifyReady({ txid, securityContext }: Pick<Call, 'txid' | 'securityContext'>): void {
    if (this.endedBecause !== undefined) return
    const next = transition(this.current, T.READY)
    if (next === undefined) throw refusal(`READY does not fit state ${this.current} of chaincode ${this.id}`)
    this.current = next
    this.send(messageOf(T.READY, txid, EMPTY, securityContext))
  }

  call(call: Call): Promise<CallResult> {
    if (this.endedBecause !== undefined) return Promise.reject(lostError(this.id, this.endedBecause))
    const type = REQUEST_TYPES[call.kind]
    const existing = this.calls.get(call.txid)
    if (existing !== undefined) {
      if (call.kind === 'query' || !existing.isQuery) return Promise.reject(refusal(texts.sending(type, texts.txidExists(call.txid))))
      // A transaction must not depend on which queries happen to run here.
      this.drop(existing)
      existing.reject(refusal(texts.sending('QUERY', texts.txidExists(call.txid))))
    }
    if (call.kind === 'query') {
      if (this.current !== 'ready' && this.current !== 'transaction' && this.current !== 'busyxact') return Promise.reject(this.notNow(type))
    } else {
      const next = transition(this.current, T[type])
      if (next === undefined) return Promise.reject(this.notNow(type))
      this.current = next
    }
    return new Promise((resolve, reject) => {
      this.calls.set(call.txid, new StreamCall(call, resolve, reject))
      this.send(messageOf(T[type], call.txid, call.input, call.securityContext))
    })
  }

  forget(txid: string): void {
    const call = this.calls.get(txid)
    if (call?.isQuery) this.drop(call)
  }

  private notNow(type: 'INIT' | 'TRANSACTION' | 'QUERY'): Error {
    return refusal(texts.sending(type, `chaincode ${this.id} is in state ${this.current}`))
  }

  private register(message: ChaincodeMessage): void {
    const next = transition(this.current, T.REGISTER)
    if (next === undefined) return this.misfit(message)
    let id: ChaincodeID
    try {
      id = decode(ChaincodeID, message.payload)
    } catch (cause) {
      return this.fail(`transition canceled with error: ${textOf(cause)}`)
    }
    this.id = id.name
    const refused = this.options.admit(this)
    if (refused === 'duplicate') return this.fail(`transition canceled with error: Duplicate chaincodeID error: ${textOfChaincodeID(id.path, id.name)}`)
    if (refused !== undefined) return this.fail(`transition canceled with error: ${refused.refused}`)
    this.cancelRegisterTimer()
    this.current = next
    this.send(messageOf(T.REGISTERED, ''))
  }

  /** COMPLETED or ERROR: the end of Init or Invoke. */
  private ending(message: ChaincodeMessage): void {
    const { type, txid } = message
    const call = this.calls.get(txid)
    // An ERROR for a query in progress is that query's failure; originals end the stream (spec/chaincode.md §20).
    if (type === T.ERROR && call?.isQuery) return this.settle(call, message, false)
    if (type === T.COMPLETED && this.current === 'ready') return
    const next = this.current === 'init' || this.current === 'transaction' ? transition(this.current, type) : undefined
    if (next === undefined || call === undefined || call.isQuery) return this.misfit(message)
    this.current = next
    this.settle(call, message, type === T.COMPLETED)
  }

  private queryEnding(message: ChaincodeMessage): void {
    const call = this.calls.get(message.txid)
    if (call?.isQuery) this.settle(call, message, message.type === T.QUERY_COMPLETED)
  }

  private settle(call: StreamCall, { payload, chaincodeEvent }: ChaincodeMessage, ok: boolean): void {
    this.drop(call)
    if (chaincodeEvent === undefined) call.resolve({ ok, payload })
    else call.resolve({ ok, payload, event: { name: chaincodeEvent.eventName, payload: chaincodeEvent.payload } })
  }

  private drop(call: StreamCall): void {
    call.hasEnded = true
    call.waiting = undefined
    if (this.calls.get(call.call.txid) === call) this.calls.delete(call.call.txid)
  }

  private request(type: RequestType, message: ChaincodeMessage): void {
    const { txid } = message
    const call = this.calls.get(txid)
    if (type === T.PUT_STATE || type === T.DEL_STATE || type === T.INVOKE_CHAINCODE) {
      if (call === undefined || call.isQuery) return this.refuseWrite(message)
    } else if (type !== T.INVOKE_QUERY && transition(this.current, type) === undefined) return this.misfit(message)
    if (call === undefined) return this.reply(T.ERROR, txid, Buffer.from(`[${txid}]Cannot handle ${typeName(type)}: no such transaction or query is running`))
    if (!call.isBusy) return this.serve(call, type, message.payload)
    if (!call.wait({ type, payload: message.payload })) this.fail(`[${txid}]more than ${MAX_WAITING_REQUESTS} requests of one transaction are waiting`)
  }

  /** A write for what is not a transaction (spec/chaincode.md §3.3). */
  private refuseWrite({ type, txid }: ChaincodeMessage): void {
    const reason = texts.notInQuery(typeName(type))
    if (transition(this.current, type) !== undefined) return this.reply(T.ERROR, txid, Buffer.from(reason))
    this.reply(T.ERROR, txid, Buffer.from(`[${txid}]${reason}`))
    this.fail(`[${txid}]${reason}`)
  }

  private serve(call: StreamCall, type: RequestType, payload: Uint8Array): void {
    const { state, txid } = call.call
    try {
      switch (type) {
        case T.GET_STATE:
          return this.reply(T.RESPONSE, txid, state.get(payload))
        case T.PUT_STATE: {
          const { key, value } = decode(PutStateInfo, payload)
          // Copies: these are views of the received frame, and stay until the block is committed.
          state.put(key.slice(), value.slice())
          return this.reply(T.RESPONSE, txid)
        }
        case T.DEL_STATE:
          state.delete(payload.slice())
          return this.reply(T.RESPONSE, txid)
        case T.RANGE_QUERY_STATE:
          return this.later(call, call.ranges(this.options.newId).start(payload))
        case T.RANGE_QUERY_STATE_NEXT:
          return this.later(call, call.ranges(this.options.newId).next(payload))
        case T.RANGE_QUERY_STATE_CLOSE:
          return this.later(call, call.ranges(this.options.newId).close(payload))
        case T.INVOKE_QUERY:
          return this.later(call, this.callOther(call, 'query', payload))
        case T.INVOKE_CHAINCODE:
          this.current = transition(this.current, T.INVOKE_CHAINCODE) ?? this.current
          return this.later(call, this.callOther(call, 'invoke', payload), true)
      }
    } catch (cause) {
      this.reply(T.ERROR, txid, Buffer.from(textOf(cause)))
    }
  }

  private async callOther(call: StreamCall, kind: 'invoke' | 'query', payload: Uint8Array): Promise<Uint8Array> {
    const { chaincodeID, ctorMsg } = decode(ChaincodeSpec, payload)
    const name = chaincodeID?.name ?? ''
    const args = ctorMsg?.args ?? []
    const result = await (kind === 'invoke' ? call.call.invokeChaincode(name, args) : call.call.queryChaincode(name, args))
    return nestedMessage(kind, call.call.txid, result)
  }

  /** Answers when `work` is done; until then, further requests of the transaction wait. `isBusyState`: the machine waits with it. */
  private later(call: StreamCall, work: Promise<Uint8Array>, isBusyState = false): void {
    call.isBusy = true
    work.then(
      (payload) => this.answer(call, T.RESPONSE, payload, isBusyState),
      (cause: unknown) => this.answer(call, T.ERROR, Buffer.from(textOf(cause)), isBusyState),
    )
  }

  private answer(call: StreamCall, type: T.RESPONSE | T.ERROR, payload: Uint8Array, isBusyState: boolean): void {
    if (call.hasEnded || this.endedBecause !== undefined) return
    call.isBusy = false
    if (isBusyState) this.current = transition(this.current, type) ?? this.current
    this.reply(type, call.call.txid, payload)
    while (!call.isBusy && !call.hasEnded) {
      const next = call.waiting?.shift()
      if (next === undefined) return
      this.serve(call, next.type, next.payload)
    }
  }

  private misfit({ type, txid, payload }: ChaincodeMessage): void {
    this.fail(
      `[${txid}]Chaincode handler validator FSM cannot handle message (${typeName(type)}) with payload size (${payload.length}) while in state: ${this.current}`,
    )
  }

  private reply(type: T.RESPONSE | T.ERROR, txid: string, payload: Uint8Array | undefined = EMPTY): void {
    this.send(messageOf(type, txid, payload))
  }

  private send(message: Uint8Array): void {
    if (this.endedBecause !== undefined) return
    this.keepalive.touch()
    this.port.send(message)
  }

  private finish(reason: string): void {
    this.endedBecause = reason
    this.current = 'end'
    this.cancelRegisterTimer()
    this.keepalive.stop()
    const open = [...this.calls.values()]
    this.calls.clear()
    for (const listener of this.listeners) listener(reason)
    for (const call of open) {
      call.hasEnded = true
      call.reject(lostError(this.id, reason))
    }
  }
}
