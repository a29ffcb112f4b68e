import type { pbft } from '../../proto/index.js'
import type { EngineHost, MemberIndex, RequestId, VoteMark } from '../consensus/index.js'
import { type Batch, encodePayload, type Payload } from './messages.js'
import type { PbftOptions, Quorums } from './options.js'
import type { Records } from './records.js'
import type { Timers } from './timers.js'

/** An entry of a P or Q set. */
export type PQ = pbft.ViewChangePQ

/** A sequence number above the low watermark. */
export interface Slot {
  readonly n: bigint
  /** The digest proposed for it in the current view, '' for a null request. */
  proposal: string | undefined
  /** Its content is not wanted (repeated or empty): no vote, but it is followed if the others commit it. */
  isRefused: boolean
  isPrepareSent: boolean
  isPrepared: boolean
  isCommitSent: boolean
  /** Who prepared which digest in the current view. */
  readonly prepares: Map<string, Set<MemberIndex>>
  /** The commit of the highest view that each member sent, of any view: a quorum of equal ones proves the decision whatever view this replica is in. */
  readonly commits: Map<MemberIndex, { readonly view: bigint; readonly digest: string }>
  /** Decided. */
  committed: string | undefined
}

/** A checkpoint to transfer the state to. */
export interface Target {
  readonly n: bigint
  readonly id: Uint8Array
  readonly members: readonly MemberIndex[]
}

/** What this replica knows (spec/consensus.md §6.2). */
export interface State {
  view: bigint
  isActive: boolean
  /** Low watermark. */
  h: bigint
  /** The last number assigned. */
  seqNo: bigint
  lastExec: bigint
  /** Being delivered. */
  currentExec: bigint | undefined
  delivering: Batch | undefined
  readonly slots: Map<bigint, Slot>
  readonly batches: Map<string, Batch>
  /** Cut, and not proposed for want of room. */
  waiting: Batch[]
  /** Own checkpoints: number to Base64 of the chain info. */
  readonly checkpoints: Map<bigint, string>
  /** What was prepared and pre-prepared in earlier views. */
  pset: Map<bigint, PQ>
  qset: Map<string, PQ>
  /** Digests that a new view needs before it is entered. */
  missing: Set<string>
  /** Nothing is executed until a state transfer is done. */
  isOutOfDate: boolean
  transferring: Target | undefined
  target: Target | undefined
  /** The number after which the primary changes. */
  rotateAfter: bigint
  newViewMs: number
  /** The stored P set still has entries below the low watermark. */
  isPsetStale: boolean
  isSealed: boolean
}

/** What the parts of the engine share and ask of one another. */
export interface Core {
  readonly host: EngineHost
  readonly options: PbftOptions
  readonly quorums: Quorums
  readonly state: State
  readonly timers: Timers
  readonly records: Records
  readonly parts: Parts
}

/** The parts; each is made by its `create…`. */
export interface Parts {
  readonly ordering: {
    onBatch(batch: Batch): void
    proposeNull(): void
    proposeWaiting(): void
    acceptPrepare(from: MemberIndex, slot: Slot, digest: string): void
    /** Commits what is prepared. */
    tryCommit(slot: Slot): void
    addBatch(batch: Batch): void
    replayEarly(): void
  }
  readonly execution: {
    advance(): void
    startTimer(): void
    onCommit(from: MemberIndex, n: bigint, view: bigint, digest: string): void
  }
  readonly checkpoints: {
    take(n: bigint, blob: Uint8Array): void
    moveWatermarks(n: bigint, options?: { readonly keepBatches?: boolean }): void
  }
  readonly transfer: {
    start(target: Target): void
    retry(target?: Target): void
    learn(target: Target): void
  }
  readonly viewChange: {
    /** Leaves the current view. */
    start(view: bigint): void
    /** Keeps what was prepared and pre-prepared in the view that ends. */
    fold(): void
  }
  readonly newView: {
    process(): void
    send(): void
    adoptKnown(): void
  }
  readonly requests: {
    onExecuting(batch: Batch): void
    onExecuted(batch: Batch, rejected: readonly RequestId[]): void
    onViewEntered(): void
    isRepeated(batch: Batch, n: bigint): boolean
    startTimer(): void
    resubmit(): void
    hasWaiting(): boolean
  }
  readonly catchUp: {
    /** A checkpoint came again, or one that is long past: its sender may be behind. */
    help(member: MemberIndex, n: bigint): void
    isBehind(): boolean
    canChangeView(): boolean
    wantBatch(digest: string): void
  }
}

export const isInWindow = ({ state, options }: Core, n: bigint): boolean => n > state.h && n <= state.h + logSize(options)
export const logSize = ({ K, logMultiplier }: PbftOptions): bigint => BigInt(K) * BigInt(logMultiplier)
export const primaryOf = ({ quorums }: Core, view: bigint): MemberIndex => Number(view % BigInt(quorums.N))
export const isPrimary = (core: Core): boolean => primaryOf(core, core.state.view) === core.host.self
/** Executed, or being executed. */
export const executedTo = ({ currentExec, lastExec }: State): bigint => currentExec ?? lastExec

export function slotAt({ slots }: State, n: bigint): Slot {
  const known = slots.get(n)
  if (known) return known
  const slot: Slot = {
    n,
    proposal: undefined,
    isRefused: false,
    isPrepareSent: false,
    isPrepared: false,
    isCommitSent: false,
    prepares: new Map(),
    commits: new Map(),
    committed: undefined,
  }
  slots.set(n, slot)
  return slot
}

export function hasContent({ batches }: State, digest: string): boolean {
  return digest === '' || batches.has(digest)
}

export function broadcast({ host }: Core, payload: Payload, vote?: VoteMark): void {
  host.broadcast(encodePayload(payload), vote ? { vote } : {})
}

/** The point of rotation: `p` checkpoint periods after the last number assigned (§9.11); never if p is 0. */
export function rotationAfter({ state, options }: Pick<Core, 'state' | 'options'>): bigint {
  const K = BigInt(options.K)
  if (options.viewChangePeriod === 0) return 2n ** 64n - 1n
  return state.seqNo + BigInt(options.viewChangePeriod) * K - (state.seqNo % K)
}
