import { createToken } from '../../kernel/index.js'
import type { Consensus, ConsensusTransport, EngineCatalog, Forwarding, StateTransferService } from './consensus.js'

/** Submitting transactions. */
export const CONSENSUS = createToken<Consensus>('consensus', 'weft/plugins/consensus')
/** Registering engines. */
export const ENGINES = createToken<EngineCatalog>('engines', 'weft/plugins/consensus')
/** Reaching other members. */
export const TRANSPORT = createToken<ConsensusTransport>('consensus transport', 'weft/plugins/network')
/** Bringing the ledger to a block that others have. */
export const STATE_TRANSFER = createToken<StateTransferService>('state transfer', 'weft/plugins/network')
/** Handing transactions to a validator, on peers that do not validate. */
export const FORWARDING = createToken<Forwarding>('forwarding', 'weft/plugins/network')
