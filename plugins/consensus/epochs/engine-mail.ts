import type { Clock } from '../../../kernel/index.js'
import { type EngineNote, hex } from '../../../proto/index.js'
import { EarlyMessages, type Taken } from './early.js'
import type { MemberIndex } from '../engine/engine.js'
import type { ConsensusLimits } from '../limits.js'
import type { LiveEngine } from './live-engine.js'
import type { EngineSession } from '../session/session.js'
import type { Crossing } from '../swap/crossing.js'
import type { Trial } from '../swap/trial.js'

/** Which messages a link carries: those of the first epoch, or notes of hosts, in which those of later epochs travel. */
export type LinkKind = 'transport' | 'notes'

export interface EngineMailOptions {
  readonly limits: ConsensusLimits
  readonly clock: Pick<Clock, 'elapsedMs' | 'setTimer'>
  /** The epoch of the chain. */
  readonly present: () => bigint
  /** The engine of an epoch, if it runs here, sealed or not. */
  readonly engineOf: (epoch: bigint) => LiveEngine | undefined
  readonly trial: () => Trial | undefined
  readonly crossing: () => Pick<Crossing, 'tell' | 'ask'>
  readonly isOver: () => boolean
}

/** Length of a candidate's identity. */
const CANDIDATE_BYTES = 32
/** Because a member says that it has lost what it was told, the own engine says it again at most this often. */
const RENEW_EVERY_MS = 1000

/** Takes what members say to engines to the one that it is for, now or when it begins, and knows which members can be reached. */
export class EngineMail {
  readonly up: Readonly<Record<LinkKind, Set<MemberIndex>>> = { transport: new Set(), notes: new Set() }
  private readonly early: EarlyMessages
  private readonly renewedAt = new Map<MemberIndex, number>()
  private readonly renewing = new Set<MemberIndex>()

  constructor(private readonly options: EngineMailOptions) {
    this.early = new EarlyMessages(options.limits)
  }

  /** A message of the engine of epoch 0 at a member. */
  ofFirstEpoch(from: MemberIndex, bytes: Uint8Array): void {
    const engine = this.options.engineOf(0n)
    if (engine) engine.session.message(from, bytes)
    else if (this.options.present() === 0n) this.early.add(0n, from, bytes)
    else this.options.crossing().tell(from)
  }

  /** A message of the engine of a later epoch, or of a candidate, at a member. */
  ofLaterEpoch(from: MemberIndex, { epoch, trial, message }: EngineNote): void {
    const { engineOf, crossing } = this.options
    const present = this.options.present()
    if (trial.length > 0) return this.ofTrial(from, epoch, trial, message)
    const engine = epoch === 0n ? undefined : engineOf(epoch)
    if (engine) engine.session.message(from, message)
    else if (epoch === present || epoch === present + 1n) this.early.add(epoch, from, message)
    else if (epoch < present) crossing().tell(from)
    else this.early.lost(epoch, from)
    if (epoch > present) crossing().ask(from)
  }

  /** A member came, or went. */
  peer(kind: LinkKind, member: MemberIndex, isUp: boolean, engines: readonly (LiveEngine | undefined)[]): void {
    if (isUp) this.up[kind].add(member)
    else this.up[kind].delete(member)
    if (!isUp) this.early.broke(member, kind === 'transport')
    for (const engine of engines) if (engine && linkOf(engine.epoch) === kind) engine.session.peer(member, isUp)
    if (kind === 'notes') this.options.trial()?.peer(member, isUp)
  }

  /** The engine of an epoch at a member has lost what it was told and had not stored: for the own one it is as if the link had broken. */
  begunAnew(from: MemberIndex, epoch: bigint): void {
    const { clock, engineOf, isOver } = this.options
    const now = clock.elapsedMs()
    const waitMs = (this.renewedAt.get(from) ?? Number.NEGATIVE_INFINITY) + RENEW_EVERY_MS - now
    if (waitMs > 0) {
      if (this.renewing.has(from)) return
      this.renewing.add(from)
      clock.setTimer(waitMs, () => {
        this.renewing.delete(from)
        if (!isOver()) this.begunAnew(from, epoch)
      })
      return
    }
    this.renewedAt.set(from, now)
    const session = this.up[linkOf(epoch)].has(from) ? engineOf(epoch)?.session : undefined
    for (const isUp of [false, true]) session?.peer(from, isUp)
  }

  /** Tells the engine of an epoch that begins who is there, and what they said before it was. */
  welcome(epoch: bigint, session: Pick<EngineSession, 'peer' | 'message'>): void {
    this.hand(session, this.early.take(epoch), this.up[linkOf(epoch)])
  }

  welcomeTrial(trial: Trial): void {
    this.hand(trial, this.early.takeForCandidate(hex(trial.identity)), this.up.notes)
  }

  /** The engine of an epoch is ended and will be begun anew: what it has not been told is kept for that. */
  left({ epoch, session }: LiveEngine): void {
    this.early.reopen(epoch)
    for (const { from, bytes } of session.takeUnread()) this.early.add(epoch, from, bytes)
  }

  /** A candidate is decided, or tried no more. */
  dropped(candidate: Uint8Array): void {
    this.early.forgetCandidate(hex(candidate))
  }

  /** What is kept for engines of earlier epochs will not be told; `candidates`: those of this epoch may be on trial. */
  entered(epoch: bigint, { candidates }: { readonly candidates: boolean }): void {
    this.early.entered(epoch, candidates)
  }

  private ofTrial(from: MemberIndex, epoch: bigint, candidate: Uint8Array, message: Uint8Array): void {
    const trial = this.options.trial()
    if (trial && Buffer.compare(trial.identity, candidate) === 0) trial.message(from, message)
    else if (epoch === this.options.present() + 1n && candidate.length === CANDIDATE_BYTES) this.early.addToCandidate(hex(candidate), from, message)
  }

  private hand(engine: Pick<EngineSession, 'peer' | 'message'>, taken: readonly Taken[], up: ReadonlySet<MemberIndex>): void {
    for (const member of up) engine.peer(member, true)
    for (const { from, messages, isBroken } of taken) {
      const isUp = up.has(from)
      // Who has gone since: without its end, what it says when it comes back would seem to follow this.
      if (!isUp) engine.peer(from, true)
      for (const message of messages) engine.message(from, message)
      if (isBroken || !isUp) engine.peer(from, false)
      if (isBroken && isUp) engine.peer(from, true)
    }
  }
}

function linkOf(epoch: bigint): LinkKind {
  return epoch === 0n ? 'transport' : 'notes'
}
