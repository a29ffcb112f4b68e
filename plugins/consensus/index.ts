/**
 * Everything that an author of a consensus engine imports, and what other plugins use of consensus. See README.md.
 *
 * @packageDocumentation
 */
export { type Batcher, type BatcherEffects, type BatcherOptions, type Batching, BATCHING, createBatcher } from './aids/batcher.js'
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
} from './engine/engine.js'
export { defineEngine, type EnginePlugin, enginePlugin } from './engine/define-engine.js'
export { detached } from './aids/detached.js'
export { ConsensusCounters, type ConsensusFigures, type HostQueues } from './counters.js'
export type { Effect } from './engine/effects.js'
export { type EngineEvent, handle as handleEvent, headOf as headOfEvent } from './engine/events.js'
export { createConsensusHost } from './host.js'
export type { ConsensusHost, ConsensusHostOptions, HostObserver } from './host-options.js'
export type { RecoveryWish } from './swap/recovery.js'
export type { HostChaincode, HostLedger } from './execution/execution.js'
export { optionFaults } from './option-names.js'
export { batchingKind, consensusKeys, memberKeys } from './keys.js'
export { type ConsensusLimits, defaultLimits } from './limits.js'
export { createMemberBudget, type MemberBudget, type MemberBudgetLimits } from './aids/member-budget.js'
export { membersOf, validatorIds } from './members.js'
export { MessageReader, MessageWriter, readMessage } from './aids/message-codec.js'
export type { OutboundMessage } from './session/outbox.js'
export { consensus as default } from './plugin.js'
export type { Tracing, TransactionProbe } from './probe.js'
export { createRandom } from './session/random.js'
export { createRecorder, type EffectRecorder } from './session/recorder.js'
export { createRecentIds, type RecentIds } from './aids/recent-ids.js'
export { engineViewOf, leaderIn, type Leadership, leadershipOf, viewIn } from './aids/report-view.js'
export { createKnownRequests, type KnownRequests } from './aids/known-requests.js'
export { createRequestBook, type Outstanding, type RequestBook } from './aids/request-book.js'
export { requestId } from './engine/request-id.js'
export { refuseReserved } from './reserved.js'
export { shake256, shake256Base64 } from './aids/shake256.js'
export { createSignatureChecks, type SignatureChecks } from './aids/signature-checks.js'
export { createSoftTimers, type SoftTimers } from './aids/soft-timers.js'
export type { EngineSeat, SeatMaker, SeatOptions } from './engine/seat.js'
export { createdEngine, isPromise } from './engine/returned.js'
export { LONGEST_METRIC, LONGEST_WORD } from './session/effect-arguments.js'
export { callOf, isToSuccession, succession } from './swap/calls.js'
export { callSuccession, candidateId, type ContractRules, Refusal } from './swap/contract.js'
export { networkOf, type SwapPolicy } from './swap/policy.js'
export { BufferedState, CONSENSUS_NAME, faultsOf, hasStarted, SUCCESSION_KEYS } from './swap/records.js'
export type { PreflightRow, SuccessionView, SwapPlan, Swaps, SwapWish } from './swap/swaps.js'
export { successionRules } from './swap/rules.js'
export type { ConsensusSigner } from './session/signer.js'
export { CONSENSUS, CONSENSUS_FIGURES, ENGINES, EPOCH_TRANSPORT, FORWARDING, HELLO, STATE_TRANSFER, TRACING, TRANSPORT } from './tokens.js'
