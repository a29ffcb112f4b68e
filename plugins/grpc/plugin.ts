import { definePlugin, peerKeys } from '../../kernel/index.js'
import { TLS, createTlsSource } from '../tls/index.js'
import { listenerSecurity } from './client-auth.js'
import { PortsCheck } from './doctor/ports.js'
import { ReachCheck } from './doctor/reach.js'
import { detectedAddress } from './endpoint.js'
import { grpcKeys } from './keys.js'
import { GrpcListenerSet, GrpcListeners } from './listener-set.js'
import { TRAFFIC } from './traffic.js'

/** Carries the listeners of a peer over gRPC. See README.md. */
export default definePlugin({
  name: 'grpc',
  description: 'gRPC listeners: TLS, bounded connections and messages, services that change hands while they run',
  config: grpcKeys,
  provides: [TLS, TRAFFIC],
  commands: [PortsCheck, ReachCheck],
  listeners({ log, clock, settings }) {
    const all = settings(grpcKeys)
    const { 'peer.limits.messageBytes': messageBytes, 'peer.limits.connections': connections, 'peer.limits.streams': streams } = all
    const limits = { messageBytes, connections, streams, bufferBytes: all['peer.limits.bufferBytes'] }
    const tls = createTlsSource({ settings: all, log: log.in('tls'), clock }) // throws before anything is opened or bound
    const listeners = new GrpcListenerSet(limits, tls, listenerSecurity(all), log, clock)
    listeners.view({ name: 'kernel', ready: false }).declare('peer', settings(peerKeys)['peer.listenAddress'], 'peer.listenAddress')
    return listeners
  },
  apply(peer) {
    peer.hooks.endpoint.tap(async (endpoint) =>
      peer.settings(grpcKeys)['peer.addressAutoDetect'] ? { ...endpoint, address: detectedAddress(endpoint.address) } : endpoint,
    )
    peer.hooks.registerServices.tap(async (listeners) => {
      if (listeners instanceof GrpcListeners) {
        peer.provide(TRAFFIC, listeners.traffic)
        peer.provide(TLS, listeners.tls)
        return
      }
      // Another plugin makes this site's gRPC listeners; its other listeners still need the files.
      peer.provide(TRAFFIC, { listeners: () => [] })
      const tls = createTlsSource({ settings: peer.settings(grpcKeys), log: peer.log.in('tls'), clock: peer.clock })
      peer.onDispose(() => tls.close())
      peer.provide(TLS, tls)
    })
  },
})
