import { choice, defineKeys, integer, key, map } from '../../kernel/index.js'
import { EXECUTE_TIMEOUT_MS } from './peer/options.js'

/** A setting of the whole network; other plugins that act on it share this object. */
export const compatibilityKeys = defineKeys({
  'peer.validator.compatibility': key(
    choice(['weft', 'v0.6']),
    'weft',
    'weft: every validator runs Weft; v0.6: behave as an original validator, without TypeScript chaincode. The same on every validator',
  ),
})

/** How chaincode is run (spec/node.md §2.3). */
export const chaincodeKeys = defineKeys({
  'chaincode.mode': key(choice(['net', 'dev']), 'net', 'net: the peer launches deployed chaincode; dev: you start it, and it registers itself'),
  'chaincode.startuptimeout': key(integer({ min: 1 }), 300_000, 'limit for starting a chaincode, and again for its Init, in milliseconds'),
  'chaincode.executetimeout': key(
    integer({ min: 1 }),
    EXECUTE_TIMEOUT_MS,
    'limit of one invoke or query, in milliseconds; fixed in v0.6, so the same on every validator',
  ),
  'chaincode.keepalive': key(integer(), 0, 'idle seconds after which a registered chaincode is sent KEEPALIVE; 0 or less: never'),
  'chaincode.registertimeout': key(integer({ min: 1 }), 30_000, 'a stream that has not registered by then is ended, in milliseconds'),
  'chaincode.maxstreams': key(integer({ min: 1 }), 1024, 'chaincode streams open at a time, registered or not'),
  'chaincode.maxqueries': key(integer({ min: 1 }), 256, 'queries in flight at a time; more are refused with RESOURCE_EXHAUSTED'),
  'chaincode.system': key(map(), {}, 'system chaincodes to run inside the peer: name to enable, true or yes. There are noop and example02'),
  'chaincode.sandbox': key(
    choice(['auto', 'bwrap', 'unshare', 'none']),
    'auto',
    'what contains deployed chaincode that runs as a process; auto: bwrap, else unshare; none: nothing, it may do whatever the peer may do',
  ),
  'chaincode.memory': key(integer({ min: 128 }), 512, 'memory of one deployed TypeScript chaincode, in MiB; the same on every validator'),
})
