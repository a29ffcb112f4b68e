import { Client } from '@grpc/grpc-js'
import { messageOf, PeerError } from '../../kernel/index.js'
import { callUnary, ConsensusToolsService, NetworkToolsService, VitalsService } from '../../proto/index.js'
import { clientCredentials, explainDialFailure, isRpcError, rpcErrorText } from '../grpc/index.js'
import type { TlsSettings } from '../tls/index.js'
import type { Answer, Target } from './model.js'

const ANSWER_MS = 2000
/** Status codes of gRPC. */
const [DEADLINE_EXCEEDED, UNIMPLEMENTED, UNAVAILABLE] = [4, 12, 14]
/** One validator's status is a few kilobytes. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Asks peers over gRPC; one connection for each, made anew after it failed, with the TLS files of that moment. */
export class Asker {
  readonly #clients = new Map<string, Client>()
  #isClosed = false

  constructor(private readonly settings: TlsSettings) {}

  /** Throws an error whose message says why there is no answer. Takes at most four seconds. */
  async ask({ address }: Target): Promise<Answer> {
    try {
      return await answerOf(this.#client(address))
    } catch (error) {
      this.#drop(address)
      throw new PeerError('ERR_TOP_UNREACHABLE', await this.#reason(address, error), { cause: error, retryable: true })
    }
  }

  close(): void {
    this.#isClosed = true
    for (const address of this.#clients.keys()) this.#drop(address)
  }

  #client(address: string): Client {
    const found = this.#clients.get(address)
    if (found) return found
    const dialled = address.replace(/^:/, '127.0.0.1:')
    const { credentials, options } = clientCredentials(this.settings, dialled)
    const client = new Client(dialled, credentials, { 'grpc.enable_http_proxy': 0, 'grpc.max_receive_message_length': MAX_ANSWER_BYTES, ...options })
    this.#clients.set(address, client)
    return client
  }

  #drop(address: string): void {
    this.#clients.get(address)?.close()
    this.#clients.delete(address)
  }

  async #reason(address: string, error: unknown): Promise<string> {
    if (this.#isClosed) return 'no longer watched'
    if (!isRpcError(error)) return messageOf(error)
    if (error.code === DEADLINE_EXCEEDED) return `no answer within ${ANSWER_MS / 1000} s: overloaded, stopped, or cut off`
    if (error.code !== UNAVAILABLE) return rpcErrorText(error)
    return (await explainDialFailure(address.replace(/^:/, '127.0.0.1:'), this.settings)).replaceAll(' (peer.address)', '')
  }
}

async function answerOf(client: Client): Promise<Answer> {
  const options = { deadline: Date.now() + ANSWER_MS }
  const [report, network, vitals] = await Promise.all([
    callUnary(client, ConsensusToolsService.status, {}, options),
    ifThere(callUnary(client, NetworkToolsService.status, {}, options)),
    ifThere(callUnary(client, VitalsService.read, {}, options)),
  ])
  return { atMs: performance.now(), report, network, vitals }
}

/** Undefined if the peer has no such service. */
async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isRpcError(error) && error.code === UNIMPLEMENTED) return undefined
    throw error
  }
}
