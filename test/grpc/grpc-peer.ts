import type { PeerOptions, Plugin } from '../../kernel/index.js'
import grpc from '../../plugins/grpc/index.js'
import { testPeer } from '../kernel/sites.js'

/** A peer with gRPC listeners that logs into `lines`. */
export function grpcPeer(plugins: readonly Plugin[], values: Record<string, unknown> = {}, options: PeerOptions = {}) {
  return testPeer([grpc, ...plugins], values, options)
}
