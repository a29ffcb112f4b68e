import { createToken } from '../../kernel/index.js'
import type { Consensus, ConsensusTransport, EngineCatalog } from './consensus.js'

export type { Accepted, Consensus, ConsensusStatus, ConsensusTransport, EngineCatalog, RequestOutcomeReport } from './consensus.js'
export type {
  DeliveredBlock,
  Engine,
  EngineFactory,
  EngineHost,
  EngineRequest,
  EngineStart,
  Head,
  Member,
  MemberIndex,
  RequestId,
  RequestOutcome,
  TransferResult,
  TransferTarget,
  VoteMark,
} from './engine.js'

/** Submitting transactions. */
export const CONSENSUS = createToken<Consensus>('consensus', 'weft/plugins/consensus')
/** Registering engines. */
export const ENGINES = createToken<EngineCatalog>('engines', 'weft/plugins/consensus')
/** Reaching other members. */
export const TRANSPORT = createToken<ConsensusTransport>('consensus transport', 'weft/plugins/network')
