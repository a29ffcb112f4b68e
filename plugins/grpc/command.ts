import type { Client } from '@grpc/grpc-js'
import { PeerCommand, PeerError, peerKeys } from '../../kernel/index.js'
import { Interruption } from '../terminal/index.js'
import { type ClientClass, dialPeer, isRpcError, rpcDetails, rpcErrorText, rpcFacts } from './dial.js'
import { grpcKeys } from './keys.js'

/** Base of the subcommands that speak to a running peer. */
export abstract class GrpcCommand extends PeerCommand {
  readonly #clients: Client[] = []
  #interruption: Interruption | undefined

  /** Runs `run`, then closes its connections. */
  override async execute(): Promise<number> {
    try {
      const code = await super.execute()
      const signalled = this.#interruption?.exitCode
      // What was waited for is still under way; nobody waits for it any more.
      return code === 0 || signalled === undefined ? code : process.exit(signalled)
    } finally {
      this.#interruption?.close()
      for (const client of this.#clients) client.close()
    }
  }

  /**
   * Waits for what the peers go on with when this command ends. A signal ends the command, with the exit code of the signal; it then says in these words what
   * becomes of it.
   */
  protected untilInterrupted<T>(work: Promise<T>, message: string, hint?: string): Promise<T> {
    this.#interruption ??= new Interruption().listen()
    return this.#interruption.during(work, message, hint)
  }

  /** Aborted by a signal, which from the first look at this on no longer ends the program by itself: the command ends what it does, and its exit code is that of the signal. */
  protected get interrupted(): AbortSignal {
    this.#interruption ??= new Interruption().listen()
    return this.#interruption.signal
  }

  /** An error of a call in the words of the peer alone; v0.6's own commands put theirs before them. */
  protected override failure(error: unknown): unknown {
    return isRpcError(error) ? new PeerError('ERR_RPC', error.details === '' ? rpcErrorText(error) : rpcDetails(error), rpcFacts(error)) : error
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
