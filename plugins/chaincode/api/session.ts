import { ChaincodeID, type ChaincodeMessage, ChaincodeMessage_Type as Type } from '../../../proto/messages.js'
import { callFromMessage, outcomeMessage } from './call-message.js'
import { utf8 } from './bytes.js'
import { MessagePort, messageOf } from './message-port.js'
import type { CallInfo, ChaincodeHost } from './port.js'
import { runCall } from './run.js'
import type { Chaincode } from './types.js'

/** States of the chaincode's side (spec/chaincode.md §4). */
export type SessionState = 'created' | 'established' | 'init' | 'ready' | 'transaction' | 'ended'

interface Waiting {
  readonly message: ChaincodeMessage
  readonly resolve: (reply: ChaincodeMessage) => void
  readonly reject: (error: Error) => void
}

/** Which messages fit which state, and where they lead. */
const TRANSITIONS: ReadonlyMap<Type, Partial<Record<SessionState, SessionState>>> = new Map([
  [Type.REGISTERED, { created: 'established' }],
  [Type.INIT, { established: 'init' }],
  [Type.READY, { established: 'ready' }],
  [Type.TRANSACTION, { ready: 'transaction' }],
  [Type.QUERY, { ready: 'ready', transaction: 'transaction' }],
])

/**
 * The chaincode's side of one `Register` stream. Unlike v0.6's shim it stays in its transaction after an ERROR reply
 * and then ends it normally, which original peers accept (spec/chaincode.md §4).
 */
export class ChaincodeSession {
  readonly #chaincode: Chaincode
  readonly #host: ChaincodeHost
  readonly #send: (message: ChaincodeMessage) => void
  readonly #end: (reason: string) => void
  /** Requests by transaction, the first of each on its way: replies carry nothing but the txid (§2.4). */
  readonly #waiting = new Map<string, Waiting[]>()
  #state: SessionState = 'created'

  constructor(chaincode: Chaincode, host: ChaincodeHost, send: (message: ChaincodeMessage) => void, end: (reason: string) => void) {
    this.#chaincode = chaincode
    this.#host = host
    this.#send = send
    this.#end = end
  }

  get state(): SessionState {
    return this.#state
  }

  /** The first message of the stream. */
  register(name: string): void {
    this.#send(messageOf(Type.REGISTER, '', ChaincodeID.encode({ path: '', name }).finish()))
  }

  receive(message: ChaincodeMessage): void {
    if (this.#state === 'ended') return
    if (message.type === Type.KEEPALIVE) return this.#send(messageOf(Type.KEEPALIVE, ''))
    if (message.type === Type.RESPONSE || message.type === Type.ERROR) return this.#reply(message)
    const next = TRANSITIONS.get(message.type)?.[this.#state]
    if (next === undefined) return this.#refuse(message)
    this.#state = next
    const call = callFromMessage(message)
    // runCall never rejects, and #run only sends: a rejection would be a defect and ends the process as such.
    if (call !== undefined) void this.#run(call)
  }

  /** The stream has ended: whatever waits fails. */
  close(reason: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    for (const queue of this.#waiting.values()) for (const { reject } of queue) reject(new Error(reason))
    this.#waiting.clear()
  }

  async #run(call: CallInfo): Promise<void> {
    const port = new StreamPort(call.txid, (message) => this.#request(message))
    const outcome = await runCall(this.#chaincode, call, port, this.#host)
    if (this.#state === 'ended') return
    if (call.kind === 'init') this.#state = outcome.ok ? 'ready' : 'established'
    if (call.kind === 'invoke') this.#state = 'ready'
    this.#send(outcomeMessage(call, outcome))
  }

  #request(message: ChaincodeMessage): Promise<ChaincodeMessage> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'ended') return reject(new Error('the stream to the peer has ended'))
      const queue = this.#waiting.get(message.txid)
      if (queue === undefined) this.#waiting.set(message.txid, [{ message, resolve, reject }])
      else queue.push({ message, resolve, reject })
      if (queue === undefined) this.#send(message)
    })
  }

  #reply(message: ChaincodeMessage): void {
    const queue = this.#waiting.get(message.txid)
    const first = queue?.shift()
    if (queue === undefined || first === undefined) {
      this.#host.log('warning', `the peer answered transaction ${message.txid} without being asked: ${nameOf(message.type)}`)
      return
    }
    const [next] = queue
    if (next === undefined) this.#waiting.delete(message.txid)
    else this.#send(next.message)
    first.resolve(message)
  }

  #refuse({ type, txid, payload }: ChaincodeMessage): void {
    const reason = `[${txid}]Chaincode handler FSM cannot handle message (${nameOf(type)}) with payload size (${payload.length}) while in state: ${this.#state}`
    this.#send(messageOf(Type.ERROR, txid, utf8(reason)))
    this.close(reason)
    this.#end(reason)
  }
}

class StreamPort extends MessagePort {
  readonly #txid: string
  readonly #request: (message: ChaincodeMessage) => Promise<ChaincodeMessage>

  constructor(txid: string, request: (message: ChaincodeMessage) => Promise<ChaincodeMessage>) {
    super()
    this.#txid = txid
    this.#request = request
  }

  protected override send(type: Type, payload: Uint8Array): Promise<ChaincodeMessage> {
    return this.#request(messageOf(type, this.#txid, payload))
  }
}

function nameOf(type: Type): string {
  return Type[type] ?? String(type)
}
