import type { Transaction } from '../../proto/index.js'
import type { EngineFactory, MemberIndex, RequestId } from './engine.js'

/** How a request ended. */
export type RequestOutcomeReport =
  | { readonly status: 'committed'; readonly block: bigint; readonly index: number }
  | { readonly status: 'rejected'; readonly block: bigint; readonly error: string }

/** An accepted request: it survives `kill -9` and will be ordered. */
export interface Accepted {
  readonly id: RequestId
  /** True if the same bytes were already waiting or are in a block: nothing is ordered twice. */
  readonly duplicate: boolean
  /**
   * Resolves when the request is in a block, or was executed and rejected. Costs nothing for callers who do not ask.
   * Rejects with ERR_CONSENSUS_STOPPED (the peer stops; the request is journaled) or ERR_CONSENSUS_DROPPED (the engine forgot it).
   */
  outcome(): Promise<RequestOutcomeReport>
}

export interface ConsensusStatus {
  readonly engine: { readonly name: string; readonly version: string } | undefined
  readonly epoch: bigint
  readonly height: bigint
  readonly valid: boolean
  readonly pendingRequests: number
  readonly halted: string | undefined
  readonly engineView: Readonly<Record<string, unknown>>
}

/** What a caller of `submit` knows of its bytes. It saves work and changes no outcome. */
export interface SubmitHints {
  /** These bytes were made just now around a random id, so that no block can hold them: the chain is not asked. */
  readonly isNew?: boolean
  /** W3C trace context of the caller (`traceparent`), for the spans of this transaction if the peer traces any. */
  readonly traceParent?: string
  /** What the bytes were encoded from with `encode`. They are taken as canonical, and need not be decoded to be executed; must not be changed any more. */
  readonly transaction?: Transaction
}

/** The door of ordering: accepts transactions, journals them, has them ordered and executed. */
export interface Consensus {
  /**
   * Accepts a transaction (canonical bytes). Resolves once it is journaled.
   * Throws ERR_CONSENSUS_OVERLOADED (gRPC RESOURCE_EXHAUSTED, retryable, with a retry hint) when the queue is full, ERR_CONSENSUS_HALTED when no engine runs.
   */
  submit(transactionBytes: Uint8Array, hints?: SubmitHints): Promise<Accepted>
  /** False while the state is known to be behind: queries must be refused (spec/consensus.md §2.7). */
  readonly valid: boolean
  status(): ConsensusStatus
}

/** Where engine plugins put their engine. */
export interface EngineCatalog {
  /** `options` are the site's; parsed by the factory. Throws ERR_ENGINE_TWICE for a name and version that is taken. */
  register(factory: EngineFactory<never> | EngineFactory, options: unknown): void
  names(): readonly string[]
}

/** How the host reaches other members; the network plugin provides it. Without one the validator is alone. */
export interface ConsensusTransport {
  /** Never blocks; bounded per member; drops the oldest and says so. */
  send(to: MemberIndex, bytes: Uint8Array): void
  receive(handlers: { message(from: MemberIndex, bytes: Uint8Array): void; peer(member: MemberIndex, up: boolean): void }): void
}
