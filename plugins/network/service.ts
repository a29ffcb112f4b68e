import { PeerService, type ServiceHandlers } from '../../proto/index.js'
import { acceptedStream } from './chat-stream.js'
import type { PeerNetwork } from './network.js'

/** The part of `protos.Peer` that links peers; the transactions plugin serves the other one. */
export const chatServiceDefinition = { chat: PeerService.chat }

/** `Chat` over gRPC: every stream is a link of the network. */
export function chatService(network: Pick<PeerNetwork, 'accept'>): ServiceHandlers<typeof chatServiceDefinition> {
  return { chat: (call) => network.accept(acceptedStream(call, call.getPeer())) }
}
