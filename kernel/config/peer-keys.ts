import { defineKeys, key } from './keys.js'
import { address, text } from './kinds.js'

/** The keys of the kernel: who a peer is, where it is, and what every command line can set (spec/node.md §2.3). Plugins may read them too. */
export const peerKeys = defineKeys({
  'peer.id': key(text(), 'jdoe', 'name of this peer; unique in the network'),
  'peer.networkId': key(text(), 'dev', 'name of the network: in names of containers and images, and in what its operators sign'),
  'peer.listenAddress': key(address(), '0.0.0.0:7051', 'address that the peer listener binds'),
  'peer.address': key(address(), '0.0.0.0:7051', 'address at which others, and the command line, reach this peer'),
  'peer.fileSystemPath': key(text(), 'weft-data', 'directory of everything this peer stores; relative to the working directory'),
  'logging.level': key(text().optional(), undefined, 'levels of every command; outranks other logging keys; also CORE_LOGGING_LEVEL and --logging-level'),
})
