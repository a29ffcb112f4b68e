import { type PeerOptions, type Plugin, resolveSettings } from '../../kernel/index.js'
import grpc from '../../plugins/grpc/index.js'
import { type TlsSettings, tlsKeys } from '../../plugins/tls/index.js'
import { testPeer, testSite } from '../kernel/sites.js'

/** A peer with gRPC listeners that logs into `lines`. */
export function grpcPeer(plugins: readonly Plugin[], values: Record<string, unknown> = {}, options: PeerOptions = {}) {
  return testPeer([grpc, ...plugins], values, options)
}

/** The TLS settings of a site with these values. */
export function tlsSettings(values: Record<string, unknown>): TlsSettings {
  return resolveSettings(testSite([grpc], values)).settings(tlsKeys)
}
