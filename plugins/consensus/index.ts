/**
 * Everything that an author of a consensus engine imports, and what other plugins use of consensus. See README.md.
 *
 * @packageDocumentation
 */
export { type Batcher, type BatcherEffects, type BatcherOptions, type Batching, BATCHING, createBatcher } from './batcher.js'
export type {
  Accepted,
  Consensus,
  ConsensusStatus,
  ConsensusTransport,
  EngineCatalog,
  Forwarding,
  HelloBoard,
  HelloDeclaration,
  MemberStatus,
  RequestOutcomeReport,
  StateTransfer,
  StateTransferService,
  SubmitHints,
} from './consensus.js'
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
export { defineEngine, type EnginePlugin } from './define-engine.js'
export { ConsensusCounters, type ConsensusFigures } from './counters.js'
export type { EngineEvent } from './events.js'
export { type ConsensusHost, type ConsensusHostOptions, createConsensusHost, type HostObserver } from './host.js'
export type { HostChaincode, HostLedger } from './execution.js'
export { batchingKind, consensusKeys, memberKeys } from './keys.js'
export { type ConsensusLimits, defaultLimits } from './limits.js'
export { membersOf, validatorIds } from './members.js'
export { MessageReader, MessageWriter, readMessage } from './message-codec.js'
export type { OutboundMessage } from './outbox.js'
export { consensus as default } from './plugin.js'
export type { Tracing, TransactionProbe } from './probe.js'
export { createRecentIds, type RecentIds } from './recent-ids.js'
export { createRequestBook, type Outstanding, type RequestBook } from './request-book.js'
export { requestId } from './request-id.js'
export { shake256 } from './shake256.js'
export { createSignatureChecks, type SignatureChecks } from './signature-checks.js'
export { createSoftTimers, type SoftTimers } from './soft-timers.js'
export type { ConsensusSigner } from './signer.js'
export { CONSENSUS, CONSENSUS_FIGURES, ENGINES, EPOCH_TRANSPORT, FORWARDING, HELLO, STATE_TRANSFER, TRACING, TRANSPORT } from './tokens.js'
