import { type ChannelCredentials, type Client, type ClientOptions, connectivityState, status } from '@grpc/grpc-js'
import { type ErrorFacts, PeerError, type Settings, messageOf, type peerKeys } from '../../kernel/index.js'
import { clientCredentials } from './client-credentials.js'
import { explainDialFailure } from './dial-failure.js'
import type { grpcKeys } from './keys.js'

/** A generated grpc-js client class. */
export type ClientClass<C extends Client> = new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>) => C

const DIAL_TIMEOUT_MS = 3000

/**
 * Connects to this site's peer: `peer.address`, TLS as configured, messages of any size (spec/node.md §1).
 *
 * @throws PeerError ERR_DIAL_FAILED `grpc: timed out when dialing` after 3 s, or at once if the connection is refused; the hint says what really happened
 */
export async function dialPeer<C extends Client>(client: ClientClass<C>, settings: Settings<typeof peerKeys & typeof grpcKeys>): Promise<C> {
  const address = settings['peer.address'].replace(/^:/, '127.0.0.1:')
  const trust = clientCredentials(settings, address)
  const connection = new client(address, trust.credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_http_proxy': 0,
    ...trust.options,
  })
  const channel = connection.getChannel()
  const deadline = Date.now() + DIAL_TIMEOUT_MS
  for (let state = channel.getConnectivityState(true); state !== connectivityState.READY; state = channel.getConnectivityState(true)) {
    const failed = state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN
    if (!failed && (await stateChanges(channel, state, deadline))) continue
    connection.close()
    throw new PeerError('ERR_DIAL_FAILED', 'grpc: timed out when dialing', {
      hint: await explainDialFailure(address, settings),
      details: { address },
      retryable: true,
    })
  }
  return connection
}

/** True once the connection's state is another one; false if the deadline passes first. */
export function stateChanges(channel: ReturnType<Client['getChannel']>, state: connectivityState, deadline: number): Promise<boolean> {
  return new Promise((resolve) => channel.watchConnectivityState(state, deadline, (error) => resolve(error === undefined)))
}

/**
 * An error of a gRPC call as v0.6's clients print it: `rpc error: code = 2 desc = <text>` (spec/node.md §1).
 * Anything else that was thrown is its message.
 */
export function rpcErrorText(error: unknown): string {
  return isRpcError(error) ? `rpc error: code = ${error.code} desc = ${rpcDetails(error)}` : messageOf(error)
}

/** What ERR_RPC carries of a failed call: its status of gRPC, by number and name, for programs. Of anything else the cause alone. */
export function rpcFacts(error: unknown): ErrorFacts {
  if (!isRpcError(error)) return { cause: error }
  return { cause: error, details: { grpcStatus: error.code, grpcStatusName: status[error.code] ?? 'UNKNOWN' } }
}

/** What a failed call says, without the form in which grpc-js tells of a connection that could not be made. */
export function rpcDetails({ details }: { readonly details: string }): string {
  return details.replace(/^No connection established\. Last error: (?:Error: )?(.*?)(?: \([\dTZ:.-]+\))?\. Resolution note:\s*$/s, 'no connection: $1')
}

/** The codes after which v0.6's commands print their usage: it does so after every error, also of a call (spec/node.md §1). */
export const USAGE_AFTER_CALLS = /^ERR_(RPC|DIAL_FAILED|CONSTRUCTOR)$|_USAGE$/

/** Whether something thrown is what grpc-js throws for a failed call. */
export function isRpcError(error: unknown): error is Error & { readonly code: number; readonly details: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error && typeof error.details === 'string'
}

/** The failure of a dial in v0.6's words, `before` in front; code, hint and details stay (spec/node.md §1). */
export function dialFailure(before: string, error: unknown): PeerError {
  const { code, hint, details, retryable } = error instanceof PeerError ? error : new PeerError('ERR_DIAL_FAILED', messageOf(error))
  const message = `${before}Error trying to connect to local peer: ${messageOf(error)}`
  return new PeerError(code, message, { cause: error, details, retryable, ...(hint === undefined ? {} : { hint }) })
}
