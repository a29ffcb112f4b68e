import { defineKeys, key } from './keys.js'
import { address, flag, integer, text } from './kinds.js'

/** The keys that the kernel itself reads; plugins may read them too (spec/node.md §2.3). */
export const peerKeys = defineKeys({
  'peer.id': key(text(), 'jdoe', 'name of this peer; unique in the network'),
  'peer.networkId': key(text(), 'dev', 'name of the network, used in names of containers and images'),
  'peer.listenAddress': key(address(), '0.0.0.0:7051', 'address that the peer listener binds'),
  'peer.address': key(address(), '0.0.0.0:7051', 'address at which others, and the command line, reach this peer'),
  'peer.addressAutoDetect': key(flag(), false, 'advertise the first non-loopback IPv4 address with the port of peer.address'),
  'peer.fileSystemPath': key(text(), 'weft-data', 'directory of everything this peer stores; relative to the working directory'),
  'peer.tls.enabled': key(flag(), false, 'TLS on every listener and client'),
  'peer.tls.cert.file': key(text().optional(), undefined, 'PEM certificate of the listeners, and what clients trust'),
  'peer.tls.key.file': key(text().optional(), undefined, 'PEM private key of the listeners'),
  'peer.tls.serverhostoverride': key(text(), '', 'server name that clients expect in the certificate'),
  'peer.limits.messageBytes': key(integer({ min: 1024 }), 104_857_600, 'longest gRPC message, in bytes; originals have no limit, deploys carry whole packages'),
  'peer.limits.connections': key(integer({ min: 8 }), 1024, 'connections of one listener; beyond it those that said least are closed'),
  'peer.limits.streams': key(integer({ min: 1 }), 256, 'simultaneous calls and streams of one connection; more wait at the client'),
  'logging.level': key(
    text().optional(),
    undefined,
    'log levels of every command; outranks the other logging keys; set by CORE_LOGGING_LEVEL and --logging-level',
  ),
  'logging.peer': key(text(), 'warning', 'log levels of the bare command and of commands without a key of their own'),
  'logging.node': key(text(), 'info', 'log levels of peer node'),
  'logging.network': key(text(), 'warning', 'log levels of peer network'),
  'logging.chaincode': key(text(), 'warning', 'log levels of peer chaincode'),
  'logging.version': key(text(), 'warning', 'log levels of peer version'),
  'logging.format': key(text(), 'text', 'text: one v0.6 line an event; json: one JSON object an event'),
})
