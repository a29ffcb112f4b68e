import { type Clock, type Logger, messageOf } from '../../../kernel/index.js'
import type { EpochRecord, SwapCandidate, SwapProposal } from '../../../proto/index.js'
import type { CatalogEngine } from '../catalog.js'
import type { MemberIndex } from '../engine/engine.js'
import type { OutboundMessage } from '../session/outbox.js'
import type { SessionSurroundings } from '../session/session.js'
import { firstLeader } from './contract.js'
import { faultsOf } from './records.js'
import type { EngineTerms } from './terms.js'
import { Trial } from './trial.js'

/** Where this validator is with a swap that is under way, for people. */
export type SwapPhase = 'loading' | 'on trial' | 'ready' | 'refused' | 'given up'

export interface SwapView {
  readonly candidate: SwapCandidate
  readonly phase: SwapPhase
  /** Why this validator does not take part. */
  readonly refusal: string | undefined
}

export interface SwapDriverOptions {
  readonly surroundings: SessionSurroundings
  readonly clock: Clock
  readonly log: Logger
  readonly seed: bigint
  readonly height: () => bigint
  /** The engine of a proposal, whose options it accepts. Rejects with why this validator cannot run it. */
  readonly engineFor: (wanted: EngineTerms) => Promise<CatalogEngine>
  readonly transmit: (message: OutboundMessage, candidate: Uint8Array, epoch: bigint) => void
  /** The trial runs: what was said to it before is welcome now. */
  readonly begun: (trial: Trial) => void
  /** Submits a call of this member. */
  readonly ready: (candidate: SwapCandidate, probe: Uint8Array) => void
  readonly cancel: (candidate: SwapCandidate, reason: string) => void
  /** It is decided, or tried no more: what is still said to it is of no use. */
  readonly dropped: (candidate: SwapCandidate, engine: CatalogEngine | undefined) => void
  readonly isOver: () => boolean
}

/** Timers do not reach further. */
const LONGEST_DEADLINE_MS = 2 ** 31 - 1

interface Course {
  /** As of the newest block. */
  candidate: SwapCandidate
  phase: SwapPhase
  refusal: string | undefined
  trial: Trial | undefined
  engine: CatalogEngine | undefined
  hasCancelled: boolean
  readonly stopDeadline: () => void
}

/** What this validator does about a candidate: tries it beside the running engine, says when it is ready, gives up when the deadline has passed. */
export class SwapDriver {
  private course: Course | undefined

  constructor(private readonly options: SwapDriverOptions) {}

  get view(): SwapView | undefined {
    const { course } = this
    return course && { candidate: course.candidate, phase: course.phase, refusal: course.refusal }
  }

  get trial(): Trial | undefined {
    return this.course?.trial
  }

  /** The engine of the candidate, once it is loaded: it need not be loaded again when it has won. */
  engineOf(candidate: Uint8Array): CatalogEngine | undefined {
    return this.course && Buffer.compare(this.course.candidate.id, candidate) === 0 ? this.course.engine : undefined
  }

  /** The chain has grown: `candidate` is what is under way now, in the epoch of `record`. */
  look(record: EpochRecord, candidate: SwapCandidate | undefined): void {
    const { course, options } = this
    if (course && (!candidate || Buffer.compare(candidate.id, course.candidate.id) !== 0)) {
      this.tellOff(record, course)
      this.drop()
    }
    if (!candidate) return
    if (!this.course) this.begin(record, candidate)
    const { proposal, preparedIn } = candidate
    if (this.course) this.course.candidate = candidate
    if (proposal && options.height() > preparedIn + BigInt(proposal.deadlineBlocks)) this.giveUp(`within ${proposal.deadlineBlocks} blocks`)
  }

  /** Nothing is tried any more. */
  drop(): void {
    const { course } = this
    this.course = undefined
    if (course) this.options.dropped(course.candidate, course.engine)
    course?.stopDeadline()
    course?.trial?.end().catch((error: unknown) => this.options.log.error('an engine on trial did not end', { reason: messageOf(error) }))
  }

  /** A candidate that is gone without a new epoch was called off: by its members, who say why in their logs, or by an operator. */
  private tellOff({ epoch }: EpochRecord, { candidate: { proposal } }: Course): void {
    if (proposal?.fromEpoch !== epoch) return
    this.options.log.info('the swap of the consensus engine is cancelled', { engine: proposal.engine, version: proposal.version, epoch: epoch + 1n })
  }

  private begin(record: EpochRecord, candidate: SwapCandidate): void {
    const { clock, log, surroundings } = this.options
    const { proposal } = candidate
    if (!proposal) return
    const course: Course = {
      candidate,
      phase: 'loading',
      refusal: undefined,
      trial: undefined,
      engine: undefined,
      hasCancelled: candidate.cancels.includes(surroundings.self),
      stopDeadline: clock.setTimer(Math.min(proposal.deadlineMs, LONGEST_DEADLINE_MS), () => this.giveUp(`within ${proposal.deadlineMs / 1000} s`)),
    }
    this.course = course
    log.info('a swap of the consensus engine is prepared', { engine: proposal.engine, version: proposal.version, epoch: record.epoch + 1n })
    this.try(course, record, proposal).catch((error: unknown) => {
      if (this.course !== course || this.options.isOver()) return
      course.refusal = messageOf(error)
      this.refuse(course, 'this validator takes no part in the swap', course.refusal)
    })
  }

  private async try(course: Course, record: EpochRecord, proposal: SwapProposal): Promise<void> {
    const { options } = this
    const { surroundings } = options
    const engine = await options.engineFor(proposal)
    if (this.course !== course || options.isOver()) return
    course.engine = engine
    const isSaid = course.candidate.readies.some(({ member }) => member === surroundings.self)
    const epoch = record.epoch + 1n
    const count = surroundings.members.length
    const everybody = surroundings.members.map(({ index }): MemberIndex => index)
    const { id } = course.candidate
    const trial = new Trial({
      surroundings,
      candidate: id,
      epoch,
      engine,
      options: JSON.parse(proposal.options),
      seed: options.seed,
      firstLeader: firstLeader(epoch, count, everybody),
      needed: count - faultsOf(record),
      transmit: (message) => options.transmit(message, id, epoch),
      passed: (probe) => {
        if (this.course !== course) return
        course.phase = 'ready'
        if (!isSaid) options.ready(course.candidate, probe)
      },
      failed: (reason) => {
        if (this.course !== course) return
        course.refusal = `its engine failed on trial: ${reason}`
        this.refuse(course, 'the engine failed on trial', reason)
      },
    })
    course.trial = trial
    course.phase = 'on trial'
    trial.begin()
    // A crossing waits for nothing that can be done before it.
    engine.prepare?.()
    options.begun(trial)
  }

  private refuse(course: Course, what: string, reason: string): void {
    const { proposal } = course.candidate
    course.phase = 'refused'
    this.options.log.error(what, { engine: proposal?.engine, version: proposal?.version, reason })
    this.object(course, course.refusal ?? reason)
  }

  /** This validator will not be ready: if enough say so nobody has to wait for the deadline. */
  private object(course: Course, reason: string): void {
    if (course.hasCancelled) return
    course.hasCancelled = true
    this.options.cancel(course.candidate, reason)
  }

  private giveUp(limit: string): void {
    const { course } = this
    if (!course || course.hasCancelled || this.options.isOver()) return
    const reason = `it was not decided ${limit}: ${progressOf(course)}`
    course.phase = 'given up'
    this.options.log.warning('this validator gives up on the swap', { engine: course.candidate.proposal?.engine, reason })
    this.object(course, reason)
  }
}

/** How far this validator was. */
function progressOf({ phase, trial }: Course): string {
  if (phase === 'ready') return 'this validator was ready, and too few others were'
  if (!trial) return 'its code was still being loaded here'
  const { ordered, needed } = trial.progress
  const busy = trial.awaited === undefined ? '' : `; ${trial.awaited}`
  return `on trial its engine ordered ${ordered} of the ${needed} transactions that it has to${busy}`
}
