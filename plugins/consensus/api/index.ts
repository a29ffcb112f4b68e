/**
 * `weft/consensus`: everything that an author of a consensus engine imports, and nothing else. It follows semantic versioning; docs/reference/api/consensus.md is
 * its report. What hosts and other plugins share is in `weft/plugins/consensus`.
 *
 * @packageDocumentation
 */
export { type Batcher, type BatcherEffects, type BatcherOptions, type Batching, BATCHING, createBatcher } from '../aids/batcher.js'
export { codec, type Codec, type CodecFields, type CodecValue, type Fields, type OneOf } from '../aids/codec.js'
export { defineEngine, type EnginePlugin } from '../engine/define-engine.js'
export { detached } from '../aids/detached.js'
export type { VerifyItem } from '../engine/effects.js'
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
} from '../engine/engine.js'
export { engineOptions, type EngineOption, type EngineOptions, integerOption, wordOption } from '../aids/engine-options.js'
export { inParts, type PartLimits } from '../aids/in-parts.js'
export { batchingKind } from '../keys.js'
export { createMemberBudget, type MemberBudget, type MemberBudgetLimits } from '../aids/member-budget.js'
export { createPublisher, type Shown } from '../session/publisher.js'
export { createRecentIds, type RecentIds } from '../aids/recent-ids.js'
export { createRequestBook, type NewRequest, type Outstanding, type RequestBook, type RequestBookLimits } from '../aids/request-book.js'
export { MessageReader, MessageWriter, readMessage } from '../aids/message-codec.js'
export { requestId } from '../engine/request-id.js'
export { shake256 } from '../aids/shake256.js'
export { createSignatureChecks, type SignatureChecks } from '../aids/signature-checks.js'
export { createSoftTimers, type SoftTimers } from '../aids/soft-timers.js'
