import { definePlugin } from '../../kernel/index.js'
import { grpcKeys, loadTls } from '../grpc/index.js'
import { httpKeys } from './keys.js'
import { HttpListenerSet } from './listener-set.js'
import { HTTP } from './listeners.js'

const tlsKeys = {
  'peer.tls.enabled': grpcKeys['peer.tls.enabled'],
  'peer.tls.cert.file': grpcKeys['peer.tls.cert.file'],
  'peer.tls.key.file': grpcKeys['peer.tls.key.file'],
  'peer.tls.serverhostoverride': grpcKeys['peer.tls.serverhostoverride'],
}

/** Carries the HTTP listeners of a peer. See README.md. */
export default definePlugin({
  name: 'http',
  description: 'HTTP listeners of other plugins: bounds for hostile clients, TLS, one server for an address',
  config: { ...httpKeys, ...tlsKeys },
  provides: [HTTP],
  apply(peer) {
    let listeners: HttpListenerSet | undefined
    peer.hooks.registerServices.tap(async () => {
      const files = loadTls(peer.settings(tlsKeys))
      const context = files === undefined ? undefined : { cert: files.certificatePem, key: files.keyPem }
      listeners = new HttpListenerSet({
        settings: peer.settings(httpKeys),
        tls: { current: () => context },
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
