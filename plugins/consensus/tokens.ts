import { createToken } from '../../kernel/index.js'
import type { EngineCatalog } from './catalog.js'
import type { Consensus, ConsensusTransport, Forwarding, HelloBoard, StateTransferService } from './consensus.js'
import type { ConsensusFigures } from './counters.js'
import type { Tracing } from './probe.js'

/** Submitting transactions. */
export const CONSENSUS = createToken<Consensus>('consensus', 'weft/plugins/consensus')
/** Registering engines. */
export const ENGINES = createToken<EngineCatalog>('engines', 'weft/plugins/consensus')
/** Reaching other members. */
export const TRANSPORT = createToken<ConsensusTransport>('consensus transport', 'weft/plugins/network')
/** As TRANSPORT, for epochs after the first: a message type of its own, only to members whose HELLO declares that they know it. */
export const EPOCH_TRANSPORT = createToken<ConsensusTransport>('epoch transport', 'weft/plugins/network')
/** What validators must have in common. */
export const HELLO = createToken<HelloBoard>('hello', 'weft/plugins/network')
/** Bringing the ledger to a block that others have. */
export const STATE_TRANSFER = createToken<StateTransferService>('state transfer', 'weft/plugins/network')
/** Handing transactions to a validator, on peers that do not validate. */
export const FORWARDING = createToken<Forwarding>('forwarding', 'weft/plugins/network')
/** What became of submitted transactions, and what the engine says of itself. */
export const CONSENSUS_FIGURES = createToken<ConsensusFigures>('consensus figures', 'weft/plugins/consensus')
/** Looking on at the way of transactions. */
export const TRACING = createToken<Tracing>('tracing', 'weft/plugins/tracing')
