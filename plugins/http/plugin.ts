import type { SecureContextOptions } from 'node:tls'
import { type PluginHost, definePlugin } from '../../kernel/index.js'
import { TLS, type TlsMaterial, type TlsSource, createTlsSource, serverContextOptions, tlsKeys } from '../tls/index.js'
import { httpKeys } from './keys.js'
import { HttpListenerSet } from './listener-set.js'
import { HTTP } from './listeners.js'

/** Carries the HTTP listeners of a peer. See README.md. */
export default definePlugin({
  name: 'http',
  description: 'HTTP listeners of other plugins: bounds for hostile clients, TLS, one server for an address',
  config: { ...httpKeys, ...tlsKeys },
  provides: [HTTP],
  uses: [TLS],
  apply(peer) {
    let listeners: HttpListenerSet | undefined
    peer.hooks.registerServices.tap(async () => {
      const tls = peer.find(TLS) ?? ownSource(peer)
      listeners = new HttpListenerSet({
        settings: peer.settings(httpKeys),
        tls: {
          current() {
            const material = tls.current()
            return material === undefined ? undefined : contextOf(material)
          },
          onChange: (renewed) => tls.onChange((material) => renewed(contextOf(material))),
        },
        log: peer.log,
        clock: peer.clock,
        fatal: (reason) => peer.fail(reason),
      })
      peer.provide(HTTP, listeners)
    })
    peer.hooks.start.tap(async () => listeners?.open())
    peer.hooks.stop.tap(async () => listeners?.close())
  },
})

/** Without client certificates: peer.tls.clientAuth is of gRPC listeners. */
function contextOf(material: TlsMaterial): SecureContextOptions {
  return serverContextOptions(material, { clients: false })
}

/** In a site without gRPC nobody else has read the files. */
function ownSource(peer: PluginHost): TlsSource {
  const source = createTlsSource({ settings: peer.settings(tlsKeys), log: peer.log.in('tls'), clock: peer.clock })
  peer.onDispose(() => source.close())
  return source
}
