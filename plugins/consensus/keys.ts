import { choice, defineKeys, integer, key, list, text } from '../../kernel/index.js'
import { validatorKeys } from '../ledger/index.js'
import { BATCHING } from './batcher.js'
import { defaultLimits } from './limits.js'

/** The keys of the consensus plugin (spec/consensus.md §14.3). */
export const consensusKeys = defineKeys({
  ...validatorKeys,
  'peer.validator.consensus.plugin': key(text(), 'noops', 'name of the consensus engine, in any case'),
  'peer.validator.consensus.buffersize': key(
    integer().transform((size) => (size > 0 ? size : defaultLimits.maxInboundPerMember)),
    defaultLimits.maxInboundPerMember,
    'consensus messages of one validator that may wait for the engine; not positive: 1000',
  ),
  'consensus.validators': key(list(), [], 'ids of all validators, in the order that every validator uses; empty: this peer alone'),
  'consensus.pool.maxRequests': key(integer({ min: 1 }), defaultLimits.maxRequests, 'accepted transactions that may wait to be committed; more are refused'),
  'consensus.pool.maxBytes': key(
    integer({ min: 1 }),
    defaultLimits.maxRequestBytes,
    'bytes of accepted transactions that may wait to be committed; more are refused',
  ),
})

/** Schema of an engine's own batching key. */
export const batchingKind = () => choice(BATCHING)
