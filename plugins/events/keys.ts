import { address, defineKeys, integer, key } from '../../kernel/index.js'

/** Keys of the event hub (spec/node.md §2.3, §7). */
export const eventsKeys = defineKeys({
  'peer.validator.events.address': key(address(), '0.0.0.0:7053', 'address that the event hub binds'),
  'peer.validator.events.buffersize': key(integer({ min: 0 }), 100, 'blocks whose events may wait for one consumer that does not read'),
  'peer.validator.events.timeout': key(
    integer(),
    10,
    'milliseconds that a consumer may stay beyond buffersize before it is dropped; below 0: none; 0: as long as bufferbytes suffice',
  ),
  'peer.validator.events.bufferbytes': key(
    integer({ min: 1024 }),
    33_554_432,
    'bytes of events that may wait for one consumer; they are shared with the other consumers',
  ),
  'peer.validator.events.maxconsumers': key(integer({ min: 1 }), 1000, 'event consumers at the same time, over gRPC and HTTP together'),
})
