import type { SecureContextOptions } from 'node:tls'
import { PeerError, type PluginHost, definePlugin } from '../../kernel/index.js'
import { TLS, type TlsMaterial, type TlsSource, createTlsSource, serverContextOptions, tlsKeys } from '../tls/index.js'
import { httpKeys } from './keys.js'
import { HttpListenerSet } from './listener-set.js'
import { HTTP } from './listeners.js'
import { HTTP_TRAFFIC, HttpCounts } from './traffic.js'

/** Carries the HTTP listeners of a peer. See README.md. */
export default definePlugin({
  name: 'http',
  description: 'HTTP listeners of other plugins: bounds for hostile clients, TLS, one server for an address',
  config: { ...httpKeys, ...tlsKeys },
  provides: [HTTP, HTTP_TRAFFIC],
  uses: [TLS],
  apply(peer) {
    let listeners: HttpListenerSet | undefined
    peer.hooks.registerServices.tap(async () => {
      const tls = peer.find(TLS) ?? ownSource(peer)
      const counts = new HttpCounts()
      peer.provide(HTTP_TRAFFIC, counts)
      listeners = new HttpListenerSet({
        settings: peer.settings(httpKeys),
        tls: (clients) => ({
          current() {
            const material = tls.current()
            return material === undefined ? undefined : contextOf(material, clients)
          },
          onChange: (renewed) => tls.onChange((material) => renewed(contextOf(material, clients))),
        }),
        log: peer.log,
        clock: peer.clock,
        counts,
        fatal: (reason) => peer.fail(reason),
      })
      peer.provide(HTTP, listeners)
    })
    peer.hooks.start.tap(async () => listeners?.open())
    peer.hooks.stop.tap(async () => listeners?.close())
  },
})

/** `clients`: of a listener that asks clients for certificates. Throws ERR_TLS_CONFIG if nothing says whose. */
function contextOf(material: TlsMaterial, clients: boolean): SecureContextOptions {
  if (clients && material.clientRootsPem === undefined) {
    throw new PeerError(
      'ERR_TLS_CONFIG',
      'http.clientAuthListeners names listeners, but peer.tls.clientAuth is none: no client certificate could be accepted',
      {
        hint: 'set peer.tls.clientAuth to admin or require, and peer.tls.clientRootCAs.files',
      },
    )
  }
  return serverContextOptions(material, { clients })
}

/** In a site without gRPC nobody else has read the files. */
function ownSource(peer: PluginHost): TlsSource {
  const source = createTlsSource({ settings: peer.settings(tlsKeys), log: peer.log.in('tls'), clock: peer.clock })
  peer.onDispose(() => source.close())
  return source
}
