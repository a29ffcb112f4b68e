import { createToken } from '../../kernel/index.js'
import type { ConsensusFigures } from './counters.js'
import type { Tracing } from './probe.js'
import type { Consensus, ConsensusTransport, EngineCatalog } from './consensus.js'

/** Submitting transactions. */
export const CONSENSUS = createToken<Consensus>('consensus', 'weft/plugins/consensus')
/** Registering engines. */
export const ENGINES = createToken<EngineCatalog>('engines', 'weft/plugins/consensus')
/** Reaching other members. */
export const TRANSPORT = createToken<ConsensusTransport>('consensus transport', 'weft/plugins/network')
/** What became of submitted transactions, and what the engine says of itself. */
export const CONSENSUS_FIGURES = createToken<ConsensusFigures>('consensus figures', 'weft/plugins/consensus')
/** Looking on at the way of transactions. */
export const TRACING = createToken<Tracing>('tracing', 'weft/plugins/tracing')
