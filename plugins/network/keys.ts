import { defineKeys, duration, flag, integer, key, list } from '../../kernel/index.js'
import { consensusKeys, memberKeys } from '../consensus/index.js'
import { grpcKeys } from '../grpc/index.js'
import { validatorKeys } from '../ledger/index.js'

const positive = () => duration().refine((ms) => ms > 0, 'expected a duration above 0')

/** How peers find each other (spec/node.md §2.3). */
export const discoveryKeys = defineKeys({
  'peer.discovery.rootnode': key(list(), [], 'addresses of peers to connect to first, separated by commas; tried again for ever'),
  'peer.discovery.period': key(positive(), '5s', 'how often a connected peer is asked for the peers that it knows'),
  'peer.discovery.persist': key(flag(), true, 'keep the addresses of peers that were connected, for the next start'),
  'peer.discovery.touchPeriod': key(positive(), '6s', 'longest time between two attempts to reach a peer that was lost; the first ones come faster'),
  'peer.discovery.touchMaxNodes': key(integer({ min: 1, max: 10_000 }), 100, 'peers that are dialled at the same time, at most'),
  'peer.limits.links': key(integer({ min: 1, max: 100_000 }), 256, 'peers that are connected at the same time, at most; validators are always let in'),
})

/** State transfer (spec/ledger.md §14). */
export const syncKeys = defineKeys({
  'peer.sync.blocks.channelSize': key(integer({ min: 1, max: 10_000 }), 10, 'blocks that an original is asked for at a time, less one'),
  'peer.sync.state.deltas.channelSize': key(integer({ min: 1, max: 10_000 }), 20, 'state deltas that an original is asked for at a time, less one'),
  'peer.sync.state.snapshot.channelSize': key(
    integer({ min: 1, max: 1_000_000 }),
    50,
    'pieces of a snapshot that may wait to be stored before the sender is slowed down',
  ),
  'peer.sync.state.snapshot.writeTimeout': key(
    duration().transform((ms) => (ms === 0 ? 60_000 : ms)),
    '60s',
    'longest time that a peer which receives blocks or state from here may take nothing; 0: 60s',
  ),
  'statetransfer.recoverdamage': key(flag(), true, 'replace stored blocks that turn out not to belong to the chain; false: give up and say so'),
  'statetransfer.maxdeltas': key(integer({ min: 1 }), 200, 'blocks behind up to which state deltas are fetched; further behind, a snapshot'),
  'statetransfer.timeout.singleblock': key(positive(), '2s', 'longest time to wait for the next block of another peer'),
  'statetransfer.timeout.singlestatedelta': key(positive(), '2s', 'longest time to wait for the next state delta of another peer'),
  'statetransfer.timeout.fullstate': key(positive(), '60s', 'longest time that a whole snapshot of another peer may take'),
})

/** Everything that the network plugin reads. */
export const networkKeys = defineKeys({
  ...discoveryKeys,
  ...syncKeys,
  ...memberKeys,
  ...validatorKeys,
  ...grpcKeys,
  'peer.validator.consensus.plugin': consensusKeys['peer.validator.consensus.plugin'],
})
