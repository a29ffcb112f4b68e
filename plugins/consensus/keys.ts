import * as z from 'zod'
import { choice, defineKeys, integer, key, list, text } from '../../kernel/index.js'
import { validatorKeys } from '../ledger/index.js'
import { BATCHING } from './aids/batcher.js'
import { defaultLimits } from './limits.js'

/** Who validates. Shared with every plugin that has to know. */
export const memberKeys = defineKeys({
  'consensus.validators': key(list(), [], 'ids of all validators, in the order that every validator uses; empty: as pbft.general.N says, else this peer alone'),
  'pbft.general.N': key(
    integer({ min: 1, max: 10_000 }).optional(),
    undefined,
    'number of validators, vp0, vp1 and so on; counts where consensus.validators is empty and this peer is one of them',
  ),
})

/** The keys of the consensus plugin (spec/consensus.md §14.3). */
export const consensusKeys = defineKeys({
  ...validatorKeys,
  ...memberKeys,
  'peer.validator.consensus.plugin': key(text(), 'noops', 'name of the consensus engine, in any case'),
  'peer.validator.consensus.buffersize': key(
    integer().transform((size) => (size > 0 ? size : defaultLimits.maxInboundPerMember)),
    defaultLimits.maxInboundPerMember,
    `consensus messages of one validator that may wait for the engine; not positive: ${defaultLimits.maxInboundPerMember}`,
  ),
  'consensus.pool.maxRequests': key(
    integer({ min: 1 }),
    defaultLimits.maxRequests,
    'the most accepted transactions that may wait to be committed; more are refused, and more than two seconds of the measured rate (at least 1000) from one address',
  ),
  'consensus.pool.maxBytes': key(
    integer({ min: 1 }),
    defaultLimits.maxRequestBytes,
    'bytes of accepted transactions that may wait to be committed; more are refused',
  ),
  'consensus.policy': key(
    choice(['doors', 'operators']),
    'doors',
    'who may change the engine: any validator at its admin door (doors), or operators who sign (operators); the same on every validator',
  ),
  'consensus.operators.keys': key(list(), [], 'Ed25519 public keys of the operators, in hex; under consensus.policy operators'),
  'consensus.operators.threshold': key(integer({ min: 1 }), 1, 'how many operators have to sign; under consensus.policy operators'),
  'consensus.options': key(
    z.record(z.string(), z.unknown()).meta({ type: 'object' }),
    {},
    'options of engines by their name, as the engines themselves describe them',
    {
      fromEnvironment: false,
    },
  ),
})

/** Schema of an engine's own batching key. */
export const batchingKind = () => choice(BATCHING)
