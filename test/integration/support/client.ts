import { Client, Metadata, credentials } from '@grpc/grpc-js'
import {
  AdminService,
  type Block,
  type BlockchainInfo,
  type ChaincodeDeploymentSpec,
  ChaincodeInvocationSpec,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  DevopsService,
  type Encodable,
  type Method,
  OpenchainService,
  ServerStatus_StatusCode,
  callUnary,
} from '../../../proto/index.js'

/** An outcome as `weft-outcome` carries it. */
export interface Outcome {
  readonly status: 'committed' | 'rejected'
  readonly block: bigint
  /** Position in the block of a committed transaction, or the text of the rejection. */
  readonly rest: string
}

const DEADLINE_MS = 120_000

/** Talks to a peer as a program of a user would. */
export class TestClient {
  readonly grpc: Client

  constructor(readonly address: string) {
    this.grpc = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  close(): void {
    this.grpc.close()
  }

  call<Q, P>(method: Method<Q, P, false>, request: Encodable<Q>, deadlineMs = DEADLINE_MS): Promise<P> {
    return callUnary(this.grpc, method, request, { deadline: Date.now() + deadlineMs })
  }

  async status(deadlineMs = DEADLINE_MS): Promise<string> {
    const { status } = await this.call(AdminService.getStatus, {}, deadlineMs)
    return ServerStatus_StatusCode[status] ?? String(status)
  }

  async query(name: string, ...args: string[]): Promise<string> {
    return Buffer.from((await this.call(DevopsService.query, invocation(name, args))).msg).toString()
  }

  /** Resolves with the txid when the peer has accepted the transaction. */
  async invoke(name: string, ...args: string[]): Promise<string> {
    return Buffer.from((await this.call(DevopsService.invoke, invocation(name, args))).msg).toString()
  }

  /** Resolves when the transaction has an outcome. */
  async invokeAndWait(name: string, ...args: string[]): Promise<{ readonly txid: string; readonly outcome: Outcome }> {
    const { response, outcome } = await this.#waitFor(DevopsService.invoke, invocation(name, args))
    return { txid: Buffer.from(response.msg).toString(), outcome }
  }

  /** Deploys TypeScript chaincode from a file that the peer can read; resolves with its name and outcome. */
  async deployNode(path: string, ...args: string[]): Promise<{ readonly name: string; readonly outcome: Outcome }> {
    const spec = ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.NODE, chaincodeID: { path }, ctorMsg: { args: bytesOf(args) } })
    const { response, outcome } = await this.#waitFor<ChaincodeSpec, ChaincodeDeploymentSpec>(DevopsService.deploy, spec)
    return { name: response.chaincodeSpec?.chaincodeID?.name ?? '', outcome }
  }

  /** Deploys chaincode that runs in development mode; resolves with the outcome. */
  async deployNamed(name: string, ...args: string[]): Promise<Outcome> {
    const spec = ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.GOLANG, chaincodeID: { name }, ctorMsg: { args: bytesOf(args) } })
    return (await this.#waitFor<ChaincodeSpec, ChaincodeDeploymentSpec>(DevopsService.deploy, spec)).outcome
  }

  info(): Promise<BlockchainInfo> {
    return this.call(OpenchainService.getBlockchainInfo, {})
  }

  block(number: bigint): Promise<Block> {
    return this.call(OpenchainService.getBlockByNumber, { number })
  }

  #waitFor<Q, P>(method: Method<Q, P, false>, request: Q): Promise<{ readonly response: P; readonly outcome: Outcome }> {
    return new Promise((resolve, reject) => {
      const metadata = new Metadata()
      metadata.set('weft-wait', 'outcome')
      let header = ''
      const options = { deadline: Date.now() + DEADLINE_MS }
      const call = this.grpc.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        options,
        (error, response) => {
          if (error) reject(error)
          else if (response === undefined) reject(new Error('neither an error nor a response'))
          else resolve({ response, outcome: outcomeOf(header) })
        },
      )
      call.on('metadata', (headers) => {
        header = headers.get('weft-outcome').join()
      })
    })
  }
}

/** A request to invoke or query. */
export function invocation(name: string, args: readonly string[]): ChaincodeInvocationSpec {
  return ChaincodeInvocationSpec.fromPartial({ chaincodeSpec: { type: ChaincodeSpec_Type.GOLANG, chaincodeID: { name }, ctorMsg: { args: bytesOf(args) } } })
}

export function bytesOf(args: readonly string[]): Uint8Array[] {
  return args.map((arg) => Buffer.from(arg))
}

function outcomeOf(header: string): Outcome {
  const [status, block = '', ...rest] = header.split(' ')
  if (status !== 'committed' && status !== 'rejected') throw new Error(`expected an outcome, found "${header}"`)
  return { status, block: BigInt(block), rest: decodeURIComponent(rest.join(' ')) }
}
