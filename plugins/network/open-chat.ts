import { Client, connectivityState } from '@grpc/grpc-js'
import { PeerError, type Settings } from '../../kernel/index.js'
import { openStream, PeerService } from '../../proto/index.js'
import { dialCredentials, type grpcKeys, stateChanges } from '../grpc/index.js'
import type { TlsSource } from '../tls/index.js'
import { type ChatStream, dialledStream } from './chat-stream.js'

/** How long connecting may take, as in v0.6 (spec/wire.md §11.7). */
const CONNECT_MS = 3000
const WINDOW_BYTES = 4 * 1024 * 1024

/** What connecting to other peers takes. */
export interface DialOptions {
  readonly settings: Settings<typeof grpcKeys>
  /** The TLS files as they are used now: none is read for a dial. */
  readonly tls: TlsSource
}

/** A connection to another peer, TLS as configured. Nothing is sent before it is used. */
export function clientOf(address: string, { settings, tls }: DialOptions): Client {
  const trust = dialCredentials(tls, address)
  return new Client(address, trust.credentials, {
    'grpc.max_receive_message_length': settings['peer.limits.messageBytes'],
    'grpc.max_send_message_length': settings['peer.limits.messageBytes'],
    'grpc.enable_http_proxy': 0,
    // A connection of its own: its end is the end of the link.
    'grpc.use_local_subchannel_pool': 1,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    ...trust.options,
  })
}

/** Connects within 3 s. Rejects, the connection closed, as soon as an attempt has failed: the dialler's own pauses are shorter than gRPC's. */
export async function connected(client: Client): Promise<void> {
  const channel = client.getChannel()
  const deadline = Date.now() + CONNECT_MS
  for (let state = channel.getConnectivityState(true); state !== connectivityState.READY; state = channel.getConnectivityState(true)) {
    const failed = state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN
    if (!failed && (await stateChanges(channel, state, deadline))) continue
    client.close()
    throw new PeerError('ERR_NETWORK_DIAL', failed ? 'the connection is refused, or fails' : `no connection within ${CONNECT_MS / 1000} s`, { retryable: true })
  }
}

/** Dials a peer and opens its Chat. */
export async function openChat(address: string, options: DialOptions): Promise<ChatStream> {
  const client = clientOf(address, options)
  await connected(client)
  return dialledStream(openStream(client, PeerService.chat), address, () => client.close())
}
