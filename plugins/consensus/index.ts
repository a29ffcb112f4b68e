/**
 * Everything that an author of a consensus engine imports, and what other plugins use of consensus. See README.md.
 *
 * @packageDocumentation
 */
export { type Batcher, type BatcherEffects, type BatcherOptions, type Batching, BATCHING, createBatcher } from './batcher.js'
export { type CatalogEngine, type EngineCatalog, type EngineDescription, type EngineListing, type EngineSource, ownEngine } from './catalog.js'
export type {
  Accepted,
  Consensus,
  ConsensusStatus,
  ConsensusTransport,
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
export { defineEngine, type EnginePlugin, enginePlugin } from './define-engine.js'
export { detached } from './detached.js'
export { ConsensusCounters, type ConsensusFigures, type HostQueues } from './counters.js'
export type { Effect } from './effects.js'
export { type EngineEvent, handle as handleEvent, headOf as headOfEvent } from './events.js'
export { createConsensusHost } from './host.js'
export type { ConsensusHost, ConsensusHostOptions, HostObserver } from './host-options.js'
export type { RecoveryWish } from './swap/recovery.js'
export type { HostChaincode, HostLedger } from './execution.js'
export { optionFaults } from './option-names.js'
export { batchingKind, consensusKeys, memberKeys } from './keys.js'
export { type ConsensusLimits, defaultLimits } from './limits.js'
export { createMemberBudget, type MemberBudget, type MemberBudgetLimits } from './member-budget.js'
export { membersOf, validatorIds } from './members.js'
export { MessageReader, MessageWriter, readMessage } from './message-codec.js'
export type { OutboundMessage } from './outbox.js'
export { consensus as default } from './plugin.js'
export type { Tracing, TransactionProbe } from './probe.js'
export { createRandom } from './random.js'
export { createRecorder, type EffectRecorder } from './recorder.js'
export { createRecentIds, type RecentIds } from './recent-ids.js'
export { engineViewOf, type Leadership, leadershipOf } from './report-view.js'
export { createKnownRequests, type KnownRequests } from './known-requests.js'
export { createRequestBook, type Outstanding, type RequestBook } from './request-book.js'
export { requestId } from './request-id.js'
export { refuseReserved } from './reserved.js'
export { createdEngine, isPromise } from './returned.js'
export { shake256, shake256Base64 } from './shake256.js'
export { createSignatureChecks, type SignatureChecks } from './signature-checks.js'
export { createSoftTimers, type SoftTimers } from './soft-timers.js'
export type { EngineSeat, SeatMaker, SeatOptions } from './seat.js'
export { callOf, isToSuccession, succession } from './swap/calls.js'
export { callSuccession, candidateId, type ContractRules, Refusal } from './swap/contract.js'
export { networkOf, type SwapPolicy } from './swap/policy.js'
export { BufferedState, CONSENSUS_NAME, faultsOf, hasStarted, SUCCESSION_KEYS } from './swap/records.js'
export type { PreflightRow, SuccessionView, SwapPlan, Swaps, SwapWish } from './swap/swaps.js'
export { successionRules } from './swap/rules.js'
export type { ConsensusSigner } from './signer.js'
export { CONSENSUS, CONSENSUS_FIGURES, ENGINES, EPOCH_TRANSPORT, FORWARDING, HELLO, STATE_TRANSFER, TRACING, TRANSPORT } from './tokens.js'
