import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js'
import {
  ChaincodeID,
  ChaincodeInput,
  ChaincodeMessage,
  ChaincodeMessage_Type as T,
  ChaincodeSupportService,
  type Encodable,
  decode,
  encode,
  openStream,
} from '../../../proto/index.js'
import { GoStub } from './go-stub.js'

/** A chaincode as authors wrote it for the original: function and arguments in, result or error out. */
export interface GoChaincode {
  init(stub: GoStub, fn: string, args: readonly string[]): Promise<string | Buffer | undefined>
  invoke(stub: GoStub, fn: string, args: readonly string[]): Promise<string | Buffer | undefined>
  query(stub: GoStub, fn: string, args: readonly string[]): Promise<string | Buffer | undefined>
}

type State = 'created' | 'established' | 'init' | 'ready' | 'transaction'

/** The table of the Go shim (spec/chaincode.md §4). ERROR has no way back. */
const TABLE: Readonly<Record<State, { readonly [type in T]?: State }>> = {
  created: { [T.REGISTERED]: 'established' },
  established: { [T.INIT]: 'init', [T.READY]: 'ready' },
  init: { [T.RESPONSE]: 'init', [T.ERROR]: 'established', [T.COMPLETED]: 'ready' },
  ready: { [T.TRANSACTION]: 'transaction', [T.QUERY]: 'ready', [T.RESPONSE]: 'ready' },
  transaction: { [T.QUERY]: 'transaction', [T.RESPONSE]: 'transaction', [T.ERROR]: 'ready', [T.COMPLETED]: 'ready' },
}

const EMPTY = new Uint8Array(0)

/**
 * A process with the ORIGINAL Go shim of v0.6 in it, with its flaws: arguments come from `securityContext.payload`, whose absence is a nil
 * dereference; whatever does not fit its state machine ends the process, also an ERROR reply; there is no way to register twice.
 */
export class GoShim {
  /** Everything that the peer sent. */
  readonly received: ChaincodeMessage[] = []
  /** How the process ended. */
  readonly exited: Promise<string>
  state: State = 'created'
  private readonly client: Client
  private readonly replies = new Map<string, (message: ChaincodeMessage) => void>()
  private stream: ClientDuplexStream<Encodable<ChaincodeMessage>, ChaincodeMessage> | undefined
  private exitNow: (reason: string) => void = () => undefined
  private hasExited = false

  private constructor(
    address: string,
    private readonly chaincode: GoChaincode,
  ) {
    this.client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.primary_user_agent': 'grpc-go/0.11',
    })
    this.exited = new Promise((resolve) => {
      this.exitNow = resolve
    })
  }

  /** Starts a chaincode process as a user would, CORE_CHAINCODE_ID_NAME and all; resolves when it is registered, or has ended. */
  static async start(address: string, name: string, chaincode: GoChaincode): Promise<GoShim> {
    const shim = new GoShim(address, chaincode)
    await new Promise<void>((resolve, reject) => {
      shim.client.waitForReady(Date.now() + 3000, (error) => (error ? reject(error) : resolve()))
    })
    const registered = new Promise<void>((resolve) => shim.open(name, resolve))
    await Promise.race([registered, shim.exited])
    return shim
  }

  /** One request per transaction at a time, as in the original. */
  request(type: T, txid: string, payload: Uint8Array): Promise<ChaincodeMessage> {
    if (this.replies.has(txid)) return Promise.reject(new Error(`[${txid.slice(0, 8)}]Channel exists`))
    return new Promise((resolve) => {
      this.replies.set(txid, resolve)
      this.send({ type, txid, payload })
    })
  }

  /** `kill -9`, from the peer's point of view. */
  kill(reason = 'killed'): void {
    if (this.hasExited) return
    this.hasExited = true
    this.stream?.cancel()
    this.client.close()
    this.exitNow(reason)
  }

  private open(name: string, registered: () => void): void {
    const stream = openStream(this.client, ChaincodeSupportService.register)
    this.stream = stream
    stream.on('error', () => undefined) // the status tells it
    stream.on('status', ({ code, details }) => this.kill(`stream ended: ${code} ${details}`))
    stream.on('data', (message: ChaincodeMessage) => {
      this.received.push(message)
      this.receive(message)
      if (message.type === T.REGISTERED) registered()
    })
    this.send({ type: T.REGISTER, payload: encode(ChaincodeID, { path: '', name }) })
  }

  private receive(message: ChaincodeMessage): void {
    if (this.hasExited) return
    if (message.type === T.KEEPALIVE) return this.send({ type: T.KEEPALIVE })
    if (!this.move(message)) return
    const { type, txid } = message
    if (type === T.RESPONSE || type === T.ERROR) {
      const waiting = this.replies.get(txid)
      this.replies.delete(txid)
      waiting?.(message)
    } else if (type === T.INIT || type === T.TRANSACTION || type === T.QUERY) void this.run(type, message)
  }

  /** Runs beside the receive loop, like a goroutine. */
  private async run(type: T.INIT | T.TRANSACTION | T.QUERY, { txid, securityContext }: ChaincodeMessage): Promise<void> {
    if (securityContext === undefined) return this.kill('panic: nil pointer dereference: securityContext')
    const [fn = '', ...args] = decode(ChaincodeInput, securityContext.payload).args.map((arg) => Buffer.from(arg).toString())
    const stub = new GoStub(this, txid, type !== T.QUERY)
    const method = type === T.INIT ? 'init' : type === T.TRANSACTION ? 'invoke' : 'query'
    let answer: Partial<ChaincodeMessage>
    try {
      const result = (await this.chaincode[method](stub, fn, args)) ?? EMPTY
      answer = { type: type === T.QUERY ? T.QUERY_COMPLETED : T.COMPLETED, payload: Buffer.from(result) }
    } catch (error) {
      answer = { type: type === T.QUERY ? T.QUERY_ERROR : T.ERROR, payload: Buffer.from(error instanceof Error ? error.message : String(error)) }
    }
    if (this.hasExited) return
    const { event } = stub
    if (event !== undefined && type !== T.QUERY)
      answer.chaincodeEvent = { chaincodeID: '', txID: '', eventName: event.name, payload: Buffer.from(event.payload) }
    const message = ChaincodeMessage.fromPartial({ ...answer, txid })
    // The local transition comes first; a query's end has none.
    if (type === T.QUERY || this.move(message)) this.send(message)
  }

  /** False if the message does not fit: then the process is over. */
  private move({ type, txid, payload }: ChaincodeMessage): boolean {
    const next = TABLE[this.state][type]
    if (next !== undefined) {
      this.state = next
      return true
    }
    const reason = `[${txid}]Chaincode handler FSM cannot handle message (${T[type]}) with payload size (${payload.length}) while in state: ${this.state}`
    this.send({ type: T.ERROR, txid, payload: Buffer.from(reason) })
    this.hasExited = true
    this.stream?.end()
    this.client.close()
    this.exitNow(reason)
    return false
  }

  private send(message: Partial<ChaincodeMessage>): void {
    if (!this.hasExited) this.stream?.write(ChaincodeMessage.fromPartial(message))
  }
}
