import { defineKeys, flag, integer, key } from '../../kernel/index.js'
import { tlsKeys } from '../tls/index.js'

/** What the listeners and clients of a peer read (spec/node.md §2.3, §4). */
export const grpcKeys = defineKeys({
  'peer.addressAutoDetect': key(flag(), false, 'advertise the first non-loopback IPv4 address with the port of peer.address'),
  ...tlsKeys,
  'peer.limits.messageBytes': key(integer({ min: 1024 }), 104_857_600, 'longest gRPC message, in bytes; originals have no limit, deploys carry whole packages'),
  'peer.limits.bufferBytes': key(
    integer({ min: 16 * 1024 * 1024 }),
    805_306_368,
    'memory of received messages, in bytes, finished or not; beyond it the connection that sent most lately is closed',
  ),
  'peer.limits.connections': key(integer({ min: 8 }), 1024, 'connections of one listener; beyond it those that said least are closed'),
  'peer.limits.streams': key(integer({ min: 1 }), 256, 'simultaneous calls and streams of one connection; more wait at the client'),
})
