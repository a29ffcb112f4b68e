import type { Transaction } from '../../proto/index.js'
import type { MemberIndex, RequestId, TransferTarget } from './engine/engine.js'

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
   * Rejects with ERR_CONSENSUS_STOPPED (the peer stops; the request is journaled) or ERR_CONSENSUS_DROPPED (the engine forgot it, and it is not in the chain).
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
  /** Why an engine that runs may order nothing; undefined: nothing is known against it. */
  readonly stalled?: string | undefined
  readonly engineView: Readonly<Record<string, unknown>>
  /** Of a chain of this peer that differed from that of the others: being repaired, or beyond repair by itself, while `valid` is false, else what was repaired last. */
  readonly divergence?: string | undefined
  readonly members?: readonly MemberStatus[]
}

/** A member as this peer sees it. */
export interface MemberStatus {
  readonly index: MemberIndex
  readonly id: string
  readonly isSelf: boolean
  readonly isConnected: boolean
}

/** What a caller of `submit` knows of its bytes. It saves work and changes no outcome. */
export interface SubmitHints {
  /** These bytes were made just now around a random id, so that no block can hold them: the chain is not asked. */
  readonly isNew?: boolean
  /** W3C trace context of the caller (`traceparent`), for the spans of this transaction if the peer traces any. */
  readonly traceParent?: string
  /** What the bytes were encoded from with `encode`. They are taken as canonical, and need not be decoded to be executed; must not be changed any more. */
  readonly transaction?: Transaction
  /** Whence it comes, such as the address of the caller: each origin has a fair share of what may wait. */
  readonly origin?: string
}

/** The door of ordering: accepts transactions, journals them, has them ordered and executed. */
export interface Consensus {
  /**
   * Accepts a transaction (canonical bytes). Resolves once it is journaled.
   * Throws ERR_CONSENSUS_OVERLOADED (gRPC RESOURCE_EXHAUSTED, retryable, with a retry hint) when the queue is full, ERR_CONSENSUS_HALTED when no engine runs.
   */
  submit(transactionBytes: Uint8Array, hints?: SubmitHints): Promise<Accepted>
  /** Throws ERR_CONSENSUS_OVERLOADED or ERR_CONSENSUS_HALTED if `submit` would now, however small a new transaction of this origin: asked before one is made of a call, refusals cost less. */
  checkRoom(origin?: string): void
  /** False while the state is known to be behind: queries must be refused (spec/consensus.md §2.7). */
  readonly valid: boolean
  status(): ConsensusStatus
}

/** How the host reaches other members; the network plugin provides it. Without one the validator is alone. */
export interface ConsensusTransport {
  /**
   * Never blocks. Bounded per member: one that does not take its messages loses all that wait, and counts as down (`peer(member, false)`)
   * until its link takes messages again. Encoded once for all members if the same `bytes` are sent to each in turn.
   */
  send(to: MemberIndex, bytes: Uint8Array): void
  /** Members that are connected already are reported before this returns. */
  receive(handlers: {
    message(from: MemberIndex, bytes: Uint8Array): void
    peer(member: MemberIndex, up: boolean): void
    /** The head of an original's chain, as it said when it connected. */
    head?(member: MemberIndex, head: { readonly height: bigint; readonly hash: Uint8Array }): void
  }): void
}

/** Brings the ledger to a block. Resolves with the reason if it cannot. */
export type StateTransfer = (target: TransferTarget) => Promise<{ readonly reached: true } | { readonly reached: false; readonly reason: string }>

/** State transfer as the network plugin provides it. */
export interface StateTransferService {
  readonly transfer: StateTransfer
  /** The transfer in progress ends with this reason, and so do later ones: the peer stops. */
  abort(reason: string): void
}

/** The way of transactions on a peer that does not validate (spec/wire.md §14). */
export interface Forwarding {
  /** True if this peer does not validate: it executes nothing and orders nothing. */
  readonly isNeeded: boolean
  /**
   * Hands a transaction, also a query, to a validator. Resolves with its answer: a txid, or a query's result.
   * Throws ERR_FORWARDING_NOWHERE if none is connected, ERR_FORWARDING_SILENT if it does not answer, else with the text of the validator's refusal.
   */
  forward(transactionBytes: Uint8Array): Promise<Uint8Array>
}

/** What a validator declares in its HELLO, to be declared before the start hook: nothing is dialled earlier. */
export interface HelloDeclaration {
  /** What must be the same on all validators, by configuration key: short values, such as digests. */
  readonly settings: ReadonlyMap<string, string>
  /** Why original validators are refused, naming the key; undefined: they are welcome. */
  readonly refuseOriginals?: string
}

/** What this peer says in its HELLO beside v0.6's fields. */
export interface HelloBoard {
  /**
   * Compared with what another Weft validator declares, in both directions: a difference ends the link, and is logged with ERR_NETWORK_SETTINGS, the key
   * and both values. Later calls replace the keys that they name.
   */
  declare(declaration: HelloDeclaration): void
}
