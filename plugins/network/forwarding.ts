import type { Client } from '@grpc/grpc-js'
import { messageOf, PeerError } from '../../kernel/index.js'
import { callUnary, PeerEndpoint_Type, PeerService, type Response, Response_StatusCode } from '../../proto/index.js'
import type { Forwarding } from '../consensus/index.js'
import { rpcErrorText } from '../grpc/index.js'
import { clientOf, connected, type DialOptions } from './open-chat.js'
import type { PeerNetwork } from './network.js'

const [DEADLINE_EXCEEDED, UNAVAILABLE] = [4, 14]
/** Longer than a validator takes for a query, which it answers when the chaincode has. */
const ANSWER_MS = 60_000
const MAX_CLIENTS = 16

export interface ForwardingOptions {
  readonly isValidator: boolean
  readonly network: Pick<PeerNetwork, 'linksOf'>
  readonly dial: DialOptions
  readonly random: () => number
  /** How long a validator may take to answer. Default 60 s. */
  readonly answerMs?: number
}

/**
 * Hands transactions to a validator that is connected; connections are kept. An original picks from all addresses that it ever knew, dead ones and
 * other non-validators too, and crashes if there is none (spec/wire.md §14).
 */
export class TransactionForwarding implements Forwarding {
  readonly isNeeded: boolean
  private readonly clients = new Map<string, Client>()

  constructor(private readonly options: ForwardingOptions) {
    this.isNeeded = !options.isValidator
  }

  async forward(transactionBytes: Uint8Array): Promise<Uint8Array> {
    const addresses = this.addresses()
    let failure: PeerError | undefined
    for (const address of addresses) {
      let client: Client
      try {
        client = await this.connect(address)
      } catch (cause) {
        // Nothing was sent: the next one may be asked.
        failure = new PeerError('ERR_FORWARDING_DIAL', `Error creating client to peer address=${address}:  ${messageOf(cause)}`, {
          cause,
          retryable: true,
          grpcStatus: UNAVAILABLE,
        })
        continue
      }
      return answerOf(await this.call(client, address, transactionBytes))
    }
    throw (
      failure ??
      new PeerError('ERR_FORWARDING_NOWHERE', 'this peer does not validate, and no validator is connected to it', {
        grpcStatus: UNAVAILABLE,
        retryable: true,
        hint: 'set peer.discovery.rootnode to the address of a validator; `peer network status` shows what could not be reached',
      })
    )
  }

  close(): void {
    for (const client of this.clients.values()) client.close()
    this.clients.clear()
  }

  /** Of the connected validators, in random order. */
  private addresses(): string[] {
    const { network, random } = this.options
    return network
      .linksOf(PeerEndpoint_Type.VALIDATOR)
      .flatMap(({ hello }) => hello?.endpoint.address ?? [])
      .filter((address) => address !== '')
      .map((address) => ({ address, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ address }) => address)
  }

  private async connect(address: string): Promise<Client> {
    const known = this.clients.get(address)
    if (known !== undefined) return known
    const client = clientOf(address, this.options.dial)
    await connected(client)
    const [oldest] = this.clients.size >= MAX_CLIENTS ? this.clients.keys() : []
    if (oldest !== undefined) this.forget(oldest)
    this.forget(address)
    this.clients.set(address, client)
    return client
  }

  private forget(address: string): void {
    this.clients.get(address)?.close()
    this.clients.delete(address)
  }

  private async call(client: Client, address: string, transactionBytes: Uint8Array): Promise<Response> {
    const { answerMs = ANSWER_MS } = this.options
    try {
      return await callUnary(client, PeerService.processTransaction, transactionBytes, { deadline: Date.now() + answerMs })
    } catch (cause) {
      this.forget(address)
      if (cause instanceof Error && 'code' in cause && cause.code === DEADLINE_EXCEEDED) {
        // Nobody else is asked: this one may have it.
        throw new PeerError('ERR_FORWARDING_SILENT', `the validator at ${address} did not answer within ${answerMs / 1000} s; it may have the transaction`, {
          cause,
          retryable: true,
          grpcStatus: DEADLINE_EXCEEDED,
          hint: 'send the same transaction again: it is executed once; `peer network status` shows which validators are connected',
        })
      }
      throw new PeerError('ERR_FORWARDING_CALL', `Error calling ProcessTransaction on remote peer at address=${address}:  ${rpcErrorText(cause)}`, { cause })
    }
  }
}

function answerOf({ status, msg }: Response): Uint8Array {
  if (status === Response_StatusCode.SUCCESS) return msg
  throw new PeerError('ERR_FORWARDING_REFUSED', Buffer.from(msg).toString())
}
