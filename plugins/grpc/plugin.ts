import { definePlugin, peerKeys } from '../../kernel/index.js'
import { detectedAddress } from './endpoint.js'
import { grpcKeys } from './keys.js'
import { GrpcListenerSet } from './listener-set.js'
import { TRAFFIC, trafficOf } from './traffic.js'
import { loadTls, serverCredentials } from './tls.js'

/** Carries the listeners of a peer over gRPC. See README.md. */
export default definePlugin({
  name: 'grpc',
  description: 'gRPC listeners: TLS, bounded connections and messages, services that change hands while they run',
  config: grpcKeys,
  provides: [TRAFFIC],
  listeners({ log, clock, settings }) {
    const limits = settings(grpcKeys)
    const { 'peer.limits.messageBytes': messageBytes, 'peer.limits.connections': connections, 'peer.limits.streams': streams } = limits
    loadTls(settings(grpcKeys)) // before anything is opened or bound
    const credentials = () => serverCredentials(loadTls(settings(grpcKeys)))
    const listeners = new GrpcListenerSet({ messageBytes, connections, streams, bufferBytes: limits['peer.limits.bufferBytes'] }, credentials, log, clock)
    listeners.view({ name: 'kernel', ready: false }).declare('peer', settings(peerKeys)['peer.listenAddress'], 'peer.listenAddress')
    return listeners
  },
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => peer.provide(TRAFFIC, trafficOf(listeners)))
    peer.hooks.endpoint.tap(async (endpoint) =>
      peer.settings(grpcKeys)['peer.addressAutoDetect'] ? { ...endpoint, address: detectedAddress(endpoint.address) } : endpoint,
    )
  },
})
