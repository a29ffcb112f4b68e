import type { Client } from '@grpc/grpc-js'
import { PeerCommand, PeerError, peerKeys } from '../../kernel/index.js'
import { type ClientClass, dialPeer, isRpcError, rpcDetails, rpcErrorText } from './dial.js'
import { grpcKeys } from './keys.js'

/** Base of the subcommands that speak to a running peer. */
export abstract class GrpcCommand extends PeerCommand {
  readonly #clients: Client[] = []

  /** Runs `run`, then closes its connections. */
  override async execute(): Promise<number> {
    try {
      return await super.execute()
    } finally {
      for (const client of this.#clients) client.close()
    }
  }

  /** An error of a call in the words of the peer alone; v0.6's own commands put theirs before them. */
  protected override failure(error: unknown): unknown {
    return isRpcError(error) ? new PeerError('ERR_RPC', error.details === '' ? rpcErrorText(error) : rpcDetails(error), { cause: error }) : error
  }

  /**
   * Connects to `peer.address` (spec/node.md §1), TLS as configured; the connection is closed when the command ends.
   * `address`: another one of the same site.
   * Throws `grpc: timed out when dialing` after 3 s, or at once if the connection is refused.
   */
  protected async dial<C extends Client>(client: ClientClass<C>, address?: string): Promise<C> {
    const settings = await this.settings({ ...peerKeys, ...grpcKeys })
    const connection = await dialPeer(client, address === undefined ? settings : { ...settings, 'peer.address': address })
    this.#clients.push(connection)
    return connection
  }
}
