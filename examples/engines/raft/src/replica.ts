import { createBatcher, createPublisher, createRequestBook, createSoftTimers } from 'weft/consensus'
import type { Batcher, EngineHost, EngineRequest, MemberIndex, Outstanding, RequestBook, RequestId, VoteMark } from 'weft/consensus'
import type { Log } from './log.js'
import { encodeMessage, type Message, type Offer } from './messages.js'
import type { RaftOptions } from './options.js'

export type TimerName = 'election' | 'heartbeat' | 'batch' | 'forward' | 'retry' | 'hand-over'
export type Waiting = Outstanding<EngineRequest>

/** What a leader knows of a follower. */
export interface Progress {
  /** The next entry to send. */
  next: number
  /** The follower's log is the leader's up to here. */
  match: number
  /** It is not known where the logs part: one message at a time, until one fits. */
  isProbing: boolean
  /** Probing: entries, or an offer, were sent and are not answered; only heartbeats repeat anything. */
  isAsked: boolean
  heardAt: number
  /** Undefined: it has not said yet. */
  delivered: number | undefined
}

/** What a member that has lost its place among the newest transfers; until that is done it delivers nothing and does not stand for election. */
export interface CatchUp {
  readonly offer: Offer
  /** False: it failed, and waits for the next attempt. */
  isRunning: boolean
}

export const sizeOf = ({ content }: Waiting): number => content.bytes.length
export const contentsOf = (waiting: readonly Waiting[]): EngineRequest[] => waiting.map(({ content }) => content)

/** What one member knows. The rules of the protocol are functions on it, a file for each part. */
export class Replica {
  readonly timers
  readonly publish
  readonly majority: number
  term = 0
  votedFor: MemberIndex | undefined
  role: 'follower' | 'candidate' | 'leader' = 'follower'
  leader: MemberIndex | undefined
  /** When the leader was heard last, and how long its silence is borne. */
  heardAt = Number.NEGATIVE_INFINITY
  patienceMs = 0
  /** A candidate's. */
  isPreVote = false
  votes = new Set<MemberIndex>()
  /** Known to be on a majority's disks. */
  commit = 0
  /** Given to the host; delivered. The entries between that make blocks wait for its answers, in `unanswered`. */
  handed = 0
  delivered = 0
  unanswered: number[] = []
  catchUp: CatchUp | undefined
  /** The height at which this epoch ends: what would make the chain longer is void. */
  sealedAt: bigint | undefined
  /** A leader's. */
  progress: Progress[] = []
  handOver: { readonly to: MemberIndex; isTold: boolean } | undefined
  ledBlocks = 0
  /** Own requests that are in no block; a leader's: everybody's. Queued: passed on to the leader; a leader's: in the batcher or the log. */
  readonly book: RequestBook<EngineRequest>
  readonly batcher: Batcher<Waiting>

  constructor(
    readonly host: EngineHost,
    readonly options: RaftOptions,
    readonly log: Log,
    executed: readonly RequestId[] | undefined,
    cut: (replica: Replica, batch: readonly Waiting[]) => void,
  ) {
    this.book = createRequestBook({ bytesOf: ({ bytes }) => bytes.length, executed })
    this.publish = createPublisher(host)
    this.timers = createSoftTimers<TimerName>(host)
    this.majority = Math.floor(host.members.length / 2) + 1
    const { batching, batchSize: size, batchTimeoutMs: timeoutMs, pipeline: maxInFlight } = options
    this.batcher = createBatcher(
      { batching, size, timeoutMs, maxInFlight },
      {
        now: () => host.now,
        setTimer: (delayMs) => this.timers.set('batch', delayMs),
        cancelTimer: () => this.timers.stop('batch'),
        cut: (batch) => cut(this, batch),
      },
    )
  }

  get self(): MemberIndex {
    return this.host.self
  }

  get isLeader(): boolean {
    return this.role === 'leader'
  }

  get others(): readonly MemberIndex[] {
    return this.host.members.map(({ index }) => index).filter((index) => index !== this.self)
  }

  /** The blocks that may be made are in the log: more would be void. */
  get isSealed(): boolean {
    return this.sealedAt !== undefined && this.host.head.height + BigInt(this.unanswered.length) >= this.sealedAt
  }

  /** A request is in the log and not delivered. */
  isOnItsWay(id: RequestId): boolean {
    return (this.log.placeOf(id) ?? 0) > this.delivered
  }

  /** A request is in the log for good, and not delivered. */
  isDecided(id: RequestId): boolean {
    return this.isOnItsWay(id) && (this.log.placeOf(id) ?? 0) <= this.commit
  }

  send(to: MemberIndex, message: Message, vote?: VoteMark): void {
    this.host.send(to, encodeMessage(message), vote && { vote })
  }

  /** The promise that a vote is: no two candidates get it in one term. */
  voteMark(candidate: MemberIndex): VoteMark {
    return { slot: `term ${this.term}`, value: String(candidate) }
  }

  answerAppend(to: MemberIndex, isOk: boolean, before: number, index: number): void {
    this.send(to, { kind: 'appended', term: this.term, isOk, before, index, delivered: this.delivered })
  }
}
