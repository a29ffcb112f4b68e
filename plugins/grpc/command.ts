import type { Client } from '@grpc/grpc-js'
import { PeerCommand, peerKeys } from '../../kernel/index.js'
import { type ClientClass, dialPeer } from './dial.js'
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

  /**
   * Connects to `peer.address` (spec/node.md §1), TLS as configured; the connection is closed when the command ends.
   * Throws `grpc: timed out when dialing` after 3 s, or at once if the connection is refused.
   */
  protected async dial<C extends Client>(client: ClientClass<C>): Promise<C> {
    const connection = await dialPeer(client, await this.settings({ ...peerKeys, ...grpcKeys }))
    this.#clients.push(connection)
    return connection
  }
}
