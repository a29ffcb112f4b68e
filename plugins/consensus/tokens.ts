import { createToken } from '../../kernel/index.js'
import type { Consensus, ConsensusTransport, EngineCatalog } from './consensus.js'

/** Submitting transactions. */
export const CONSENSUS = createToken<Consensus>('consensus', 'weft/plugins/consensus')
/** Registering engines. */
export const ENGINES = createToken<EngineCatalog>('engines', 'weft/plugins/consensus')
/** Reaching other members. */
export const TRANSPORT = createToken<ConsensusTransport>('consensus transport', 'weft/plugins/network')
