import { pbft } from '../../proto/index.js'
import {
  type Batcher,
  createBatcher,
  createKnownRequests,
  createMemberBudget,
  createRequestBook,
  createSignatureChecks,
  createSoftTimers,
  type EngineHost,
  type EngineRequest,
  type MemberIndex,
  type Outstanding,
  type RequestBook,
  type RequestId,
  type VoteMark,
} from '../consensus/index.js'
import { type Batch, toBase64 } from './messages.js'
import { type PbftOptions, type Quorums, quorumsOf } from './options.js'

/** An entry of a P or Q set. */
export type PQ = pbft.ViewChangePQ

/** newView: a request or a new view takes too long. vcResend, nullRequest, batch: as in v0.6 (spec/consensus.md §10.2). tick, fetch, announce: catching up. */
export type TimerName = 'newView' | 'vcResend' | 'nullRequest' | 'batch' | 'tick' | 'fetch' | 'announce'

/** A sequence number above the low watermark. */
export class Slot {
  /** The digest proposed in the current view, '' for a null request. */
  proposal: string | undefined
  /** Its content is not wanted (repeated or empty): no vote, but it is followed if the others commit it. */
  isRefused = false
  isPrepareSent = false
  isPrepared = false
  isCommitSent = false
  /** The digests that each member prepared in the current view. */
  prepares: (string[] | undefined)[] = []
  /** The commit of the highest view that each member sent, of any view: a quorum of equal ones proves the decision whatever view this replica is in. */
  readonly commits = new Map<MemberIndex, { readonly view: number; readonly digest: string }>()
  /** The digest decided. */
  committed: string | undefined
  /** What the primary of a view that is not entered proposed: its content, if that is decided. */
  offered: { readonly message: pbft.PrePrepare; readonly batch: Batch | undefined } | undefined
  private entry: PQ | undefined

  constructor(readonly n: number) {}

  /** The proposal as an entry of a P or Q set: the same object as long as it is the same. */
  entryIn(view: number): PQ | undefined {
    const { n: sequenceNumber, proposal: batchDigest, entry } = this
    if (batchDigest === undefined) return undefined
    return entry?.batchDigest === batchDigest && entry.view === view ? entry : (this.entry = { sequenceNumber, batchDigest, view })
  }
}

/** A checkpoint to transfer the state to. */
export interface Target {
  readonly n: number
  readonly id: Uint8Array
  readonly members: readonly MemberIndex[]
}

/** A request that is not executed yet: as it is announced, when it came and when it was announced last (0: by another), how often because nothing moved. */
export type Waiting = Outstanding<{ readonly request: pbft.Request; readonly arrivedAt: number; announcedAt: number; repeats: number }>

/** Rules that lower ones end in. Files import only what lies below them: requests and transfer, checkpoints, execution, ordering, views, catching up, engine. */
export interface UpperRules {
  leaveView(replica: Replica, view: number): void
  processNewView(replica: Replica): void
  cut(replica: Replica, requests: readonly Waiting[]): void
  orderBatch(replica: Replica, batch: Batch): void
  proposeWaiting(replica: Replica): void
  followOthers(replica: Replica): void
  wantBatch(replica: Replica, digest: string): void
  help(replica: Replica, member: MemberIndex, n: number): void
}

/** What one replica knows (spec/consensus.md §6.2). The rules are functions on it, a file for each part of the protocol. */
export class Replica {
  readonly quorums: Quorums
  readonly timers
  readonly checks
  /** K · logmultiplier. */
  readonly L: number
  /** Half of L, rounded down as in v0.6. */
  readonly half: number
  readonly K: number
  firstLeader: MemberIndex = 0
  isFirstEpoch = true
  /** There may be originals among the others. */
  hasOriginals = false
  view = 0
  isActive = true
  /** Low watermark. */
  h = 0
  /** What view changes speak of begins above this: the low watermark, or less as long as no quorum is known to be there. */
  floor = 0
  /** The checkpoint that the present view began from. Nothing at or below it is proposed in this view. */
  base = 0
  /** The last number assigned. */
  seqNo = 0
  lastExec = 0
  /** Being delivered. */
  currentExec: number | undefined
  delivering: Batch | undefined
  readonly slots = new Map<number, Slot>()
  readonly batches = new Map<string, Batch>()
  /** Cut, and not proposed for want of room. */
  waiting: Batch[] = []
  /** Own checkpoints: number to Base64 of the chain info. */
  readonly checkpoints = new Map<number, string>()
  /** What was prepared and pre-prepared in earlier views. */
  pset = new Map<number, PQ>()
  qset = new Map<string, PQ>()
  readonly writers = { pset: pbft.createPQsetWriter(), qset: pbft.createPQsetWriter() }
  /** The stored P set still has entries below the low watermark. */
  isPsetStale = false
  /** What each member says of the state after a number: one value each, the first. */
  readonly said = new Map<number, Map<MemberIndex, string>>()
  /** The last checkpoint at or above the high watermark that each member told of, and the highest of all. */
  readonly ahead = new Map<MemberIndex, { readonly n: number; readonly id: string }>()
  readonly latest = new Map<MemberIndex, number>()
  /** View changes of each member by view; the last new view of each primary; the highest view that each member was seen in. */
  readonly viewChanges = new Map<MemberIndex, Map<number, pbft.ViewChange>>()
  readonly newViews = new Map<MemberIndex, pbft.NewView>()
  readonly seenIn = new Map<MemberIndex, number>()
  signing: { readonly token: string; readonly viewChange: pbft.ViewChange } | undefined
  /** View changes asked for, and the view whose quorum started the timer. */
  changes = 0
  signatures = 0
  timedView = -1
  /** T_nv. */
  newViewMs: number
  /** Batches that a new view needs before it is entered, and decided ones to fetch with the attempts so far. */
  missing = new Set<string>()
  readonly wanted = new Map<string, number>()
  /** Nothing is executed until a state transfer is done. */
  isOutOfDate = false
  transferring: Target | undefined
  target: Target | undefined
  failed: Target | undefined
  /** The number after which the primary changes. */
  rotateAfter = 0
  isSealed = false
  /** Members whose links are down, since when; when each was helped last. */
  readonly down = new Map<MemberIndex, number>()
  readonly helpedAt = new Map<MemberIndex, number>()
  /** Batches that members ask for. */
  readonly answers
  idleTicks = 0
  progress = ''
  patience = { at: -1, left: 0 }

  /** Requests that wait, and those executed (spec/consensus.md §12.1). */
  readonly book: RequestBook<Waiting['content']> = createRequestBook({ bytesOf: ({ request }) => request.payload.length + request.signature.length })
  readonly batcher: Batcher<Waiting>
  readonly known = createKnownRequests()
  /** Own proposals that are not executed; how many are over that the batcher was not told of. */
  readonly ownBatches = new Set<string>()
  finishedBatches = 0
  /** In the first epoch, from the journal of an earlier life, and what came after them: an original that leads may be about to order them, and would order them twice. */
  readonly held = new Map<RequestId, EngineRequest>()
  /** Own requests before a transfer, which keep their request if they come again. */
  former = new Map<RequestId, Waiting>()
  viewStartedAt = 0

  constructor(
    readonly host: EngineHost,
    readonly options: PbftOptions,
    readonly rules: UpperRules,
  ) {
    this.quorums = quorumsOf(options, host.members)
    this.timers = createSoftTimers<TimerName>(host)
    this.checks = createSignatureChecks(host)
    this.answers = createMemberBudget(host)
    this.K = options.K
    this.L = this.K * options.logMultiplier
    this.half = Math.floor(this.L / 2)
    this.newViewMs = options.viewChangeMs
    const { batching, batchSize: size, batchMs: timeoutMs } = options
    const timing = { batching, size, timeoutMs, maxInFlight: batching === 'fixed' ? Number.MAX_SAFE_INTEGER : 2 }
    this.batcher = createBatcher(timing, {
      now: () => host.now,
      setTimer: (delayMs) => this.timers.set('batch', delayMs),
      cancelTimer: () => this.timers.stop('batch'),
      cut: (requests) => rules.cut(this, requests),
      bytesOf: ({ content }) => content.request.payload.length,
      isBusy: () => this.isTooFast,
    })
  }

  get self(): MemberIndex {
    return this.host.self
  }

  get isPrimary(): boolean {
    return this.primaryOf(this.view) === this.self
  }

  /** Executed, or being executed. */
  get executedTo(): number {
    return this.currentExec ?? this.lastExec
  }

  /** In epoch 0 as v0.6 has it; later epochs begin with a member that is known to be there. */
  primaryOf(view: number): MemberIndex {
    return (view + this.firstLeader) % this.quorums.N
  }

  /** Whether a member that is there has not executed the older half of the window: at full speed it would soon be left outside. */
  get isTooFast(): boolean {
    const missing = (member: MemberIndex): number => this.lastExec - (this.latest.get(member) ?? 0)
    return this.host.members.some(({ index }) => index !== this.self && !this.down.has(index) && missing(index) > this.half && missing(index) <= this.L)
  }

  /** The number that the host's head is the state of, with its id, if it is known for certain: not while something is executed or transferred. */
  get state(): readonly [n: number, id: string] | undefined {
    return this.currentExec === undefined && !this.isOutOfDate ? [this.lastExec, toBase64(this.host.head.blob)] : undefined
  }

  isInWindow(n: number): boolean {
    return n > this.h && n <= this.h + this.L
  }

  slotAt(n: number): Slot {
    let slot = this.slots.get(n)
    if (!slot) this.slots.set(n, (slot = new Slot(n)))
    return slot
  }

  hasContent(digest: string): boolean {
    return digest === '' || this.batches.has(digest)
  }

  /** Sends a message to all or one. Votes are marked, so that a test kit can check that nobody votes twice. */
  say(payload: pbft.Payload, vote?: VoteMark, to?: MemberIndex): void {
    const bytes = pbft.encodePayload(payload)
    if (to === undefined) this.host.broadcast(bytes, vote ? { vote } : {})
    else if (to !== this.self) this.host.send(to, bytes, vote ? { vote } : {})
  }

  /** Proposes, prepares or commits a number in a view; a proposal carries its batch. */
  sayVote(kind: 'prePrepare' | 'prepare' | 'commit', view: number, n: number, digest: string, to?: MemberIndex): void {
    const requestBatch = kind === 'prePrepare' ? this.batches.get(digest)?.message : undefined
    const value = { view, sequenceNumber: n, batchDigest: digest, requestBatch, replicaId: this.self }
    this.say({ $case: kind, value }, { slot: `${kind} ${view} ${n}`, value: digest }, to)
  }

  sayCheckpoint(n: number, id: string, to?: MemberIndex): void {
    this.say({ $case: 'checkpoint', value: { sequenceNumber: n, replicaId: this.self, id } }, { slot: `checkpoint ${n}`, value: id }, to)
  }

  log(level: 'error' | 'warning' | 'info', message: string): void {
    this.host.log(level, message)
  }
}
