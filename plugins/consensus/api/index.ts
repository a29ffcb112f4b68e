/**
 * `weft/consensus`: everything that an author of a consensus engine imports, and nothing else. It follows semantic versioning; docs/reference/api/consensus.md is
 * its report. What hosts and other plugins share is in `weft/plugins/consensus`.
 *
 * @packageDocumentation
 */
export { type Batcher, type BatcherEffects, type BatcherOptions, type Batching, BATCHING, createBatcher } from '../batcher.js'
export { codec, type Codec, type CodecFields, type CodecValue, type Fields, type OneOf } from '../codec.js'
export { defineEngine, type EnginePlugin } from '../define-engine.js'
export { detached } from '../detached.js'
export type { VerifyItem } from '../effects.js'
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
} from '../engine.js'
export { engineOptions, type EngineOption, type EngineOptions, integerOption, wordOption } from '../engine-options.js'
export { inParts, type PartLimits } from '../in-parts.js'
export { batchingKind } from '../keys.js'
export { createMemberBudget, type MemberBudget, type MemberBudgetLimits } from '../member-budget.js'
export { createPublisher, type Shown } from '../publisher.js'
export { createRecentIds, type RecentIds } from '../recent-ids.js'
export { createRequestBook, type NewRequest, type Outstanding, type RequestBook, type RequestBookLimits } from '../request-book.js'
export { MessageReader, MessageWriter, readMessage } from '../message-codec.js'
export { requestId } from '../request-id.js'
export { shake256 } from '../shake256.js'
export { createSignatureChecks, type SignatureChecks } from '../signature-checks.js'
export { createSoftTimers, type SoftTimers } from '../soft-timers.js'
