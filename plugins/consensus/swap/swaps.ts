import { isDeepStrictEqual } from 'node:util'
import { type Clock, messageOf, PeerError } from '../../../kernel/index.js'
import {
  encode,
  type EpochRecord,
  hex,
  type PreflightAnswer,
  type PreflightQuestion,
  SwapCancel,
  type SwapCandidate,
  type SwapObjection,
  SwapProposal,
} from '../../../proto/index.js'
import type { EngineCatalog } from '../catalog.js'
import type { Accepted } from '../consensus.js'
import type { Member, MemberIndex } from '../engine/engine.js'
import type { HostNotes } from '../notes.js'
import { withKnownNames } from '../option-names.js'
import { succession as callTransaction } from './calls.js'
import { weaknessOf } from './contract.js'
import type { SwapView } from './driver.js'
import { requireChangeable } from './fixed-engine.js'
import { shown } from './objections.js'
import { faultsOf } from './records.js'
import type { Succession } from './succession.js'
import { termsOf } from './terms.js'

/** What an operator wants. */
export interface SwapWish {
  /** Left out: the one that runs, of the same version, with `options` over those that it has. */
  readonly engine?: string
  /** Left out: the one that this validator prefers. */
  readonly version?: string
  /** Of the engine. Left out: what this validator's site says. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly allowWeaker?: boolean
  /** Default 30 s and 100,000 blocks. */
  readonly deadlineMs?: number
  readonly deadlineBlocks?: number
}

/** What a validator said in the pre-flight; undefined answer: nothing, in time. */
export interface PreflightRow {
  readonly member: Member
  readonly answer: PreflightAnswer | undefined
}

/** The result of a pre-flight: who would take part, and what would be proposed. */
export interface SwapPlan {
  readonly proposal: SwapProposal
  readonly rows: readonly PreflightRow[]
  /** Why it cannot be proposed as it is; undefined: it can. Validators that did not answer are no reason here: the caller has to name them. */
  readonly objection: string | undefined
  /** How many have to take part. */
  readonly needed: number
  /** The engine runs already, at this version and with these options. */
  readonly isUnchanged: boolean
}

/** The state of the succession at this validator. */
export interface SuccessionView {
  readonly record: EpochRecord
  readonly candidate: SwapCandidate | undefined
  readonly swap: SwapView | undefined
  /** Why members took no part in a candidate, as each of them last said. */
  readonly objections: readonly SwapObjection[]
  /** Members that are known to have entered the epoch. */
  readonly crossed: readonly MemberIndex[]
  /** The engine of the epoch before is still needed here. */
  readonly isSealing: boolean
  /** Whose answers a pre-flight waits for. */
  readonly awaited: readonly Member[]
}

/** The operator's side of the succession of engines (design: hot swap). */
export interface Swaps {
  view(): SuccessionView
  /** All epochs, the first one first. */
  history(): readonly EpochRecord[]
  /** Asks every validator; changes nothing. Throws ERR_ENGINE_UNKNOWN and what the engine says of its options. */
  plan(wish: SwapWish): Promise<SwapPlan>
  /** Has a proposal ordered. `signatures`: encoded OperatorSignatures. Its outcome is that of `prepare`. */
  propose(proposal: SwapProposal, signatures?: Uint8Array): Promise<Accepted>
  /** What an operator signs, and `cancel` takes, to cancel the swap that is under way. Throws ERR_SWAP_NONE. */
  cancellation(): SwapCancel
  cancel(cancellation: SwapCancel, signatures?: Uint8Array): Promise<Accepted>
}

export interface SwapsOptions {
  readonly members: readonly Member[]
  readonly self: MemberIndex
  readonly clock: Clock
  readonly notes: Pick<HostNotes, 'tell'>
  readonly engines: Pick<EngineCatalog, 'find'>
  /** Whether there is a connection to a member's host. */
  readonly reaches: (member: MemberIndex) => boolean
  readonly succession: Succession
  /** The engine of epoch 0 stays. */
  readonly isFixed: boolean
  readonly height: () => bigint
  /** Why this validator has nothing ordered now; undefined: it has. */
  readonly halted: () => string | undefined
  readonly submit: (transactionBytes: Uint8Array) => Promise<Accepted>
  /** The network that operators sign for; empty: nobody signs. */
  readonly network: string
  readonly randomBytes: (count: number) => Uint8Array
  readonly view: () => Pick<SuccessionView, 'swap' | 'crossed' | 'isSealing' | 'objections'>
}

/** Who does not answer so soon is left out if there is no connection to it; the others may have to load the code of an engine, on a busy machine. */
const ANSWER_MS = 2000
const LOADED_MS = 20_000
const DEADLINE_MS = 30_000
const DEADLINE_BLOCKS = 100_000
const MAX_ASKED = 1000
/** To answer a question may take a process, which others pay for: after it a member rests so many times as long, and not longer than this. */
const REST_TIMES = 9
const LONGEST_REST_MS = 10_000

/** What this validator has of an engine. */
type Found = Omit<PreflightAnswer, 'token' | 'epoch' | 'height' | 'halted'>

interface Asking {
  readonly question: PreflightQuestion
  readonly answers: Map<MemberIndex, PreflightAnswer>
  /** Looks whether there is somebody left to wait for. */
  readonly look: () => void
  readonly isAwaited: (member: Member) => boolean
}

/** Asks, proposes and cancels; and answers what other validators' operators ask. */
export class SwapDesk implements Swaps {
  private readonly asking = new Map<bigint, Asking>()
  /** Members whose questions are being answered, with the newest that waits; and questions of anybody that are, which need an answer once. */
  private readonly answering = new Map<MemberIndex, PreflightQuestion | undefined>()
  private readonly shared = new Map<string, Promise<Found>>()
  private token = 0n

  constructor(private readonly options: SwapsOptions) {}

  view(): SuccessionView {
    const { succession, members, view } = this.options
    const asking = [...this.asking.values()]
    const awaited = members.filter((member) => asking.some(({ isAwaited }) => isAwaited(member)))
    return { record: succession.record, candidate: succession.candidate, awaited, ...view() }
  }

  history(): readonly EpochRecord[] {
    return this.options.succession.history()
  }

  async plan(wish: SwapWish): Promise<SwapPlan> {
    const { engines, members, succession, isFixed } = this.options
    requireChangeable(isFixed)
    const { record } = succession
    const isSame = wish.engine === undefined
    const engine = await engines.find(wish.engine ?? record.engine, wish.version ?? (isSame ? record.version : undefined))
    const present = recordOf(isSame ? JSON.parse(record.options) : engine.options)
    const wished = wish.options && withKnownNames(wish.options, Object.keys(present))
    const options = isSame ? { ...present, ...wished } : (wished ?? engine.options ?? {})
    await engine.checkOptions(options, members)
    const proposal = SwapProposal.fromPartial({
      ...termsOf(engine, options, members.length),
      fromEpoch: record.epoch,
      members: record.members,
      deadlineBlocks: wish.deadlineBlocks ?? DEADLINE_BLOCKS,
      deadlineMs: wish.deadlineMs ?? DEADLINE_MS,
      allowWeaker: wish.allowWeaker ?? false,
      nonce: this.options.randomBytes(16),
      network: this.options.network,
      number: succession.seenProposals,
    })
    const rows = await this.ask(proposal)
    const objection = weaknessOf(proposal, record) ?? refusalsIn(rows, proposal, record)
    return { proposal, rows, objection, needed: members.length - faultsOf(record), isUnchanged: changesNothing(proposal, record) }
  }

  async propose(proposal: SwapProposal, signatures?: Uint8Array): Promise<Accepted> {
    requireChangeable(this.options.isFixed)
    return this.call('prepare', encode(SwapProposal, proposal), signatures)
  }

  cancellation(): SwapCancel {
    const { candidate, record } = this.options.succession
    if (!candidate) throw new PeerError('ERR_SWAP_NONE', 'no swap is under way', { grpcStatus: 9 })
    return SwapCancel.fromPartial({ fromEpoch: record.epoch, candidate: candidate.id, byOperator: true, network: this.options.network })
  }

  async cancel(cancellation: SwapCancel, signatures?: Uint8Array): Promise<Accepted> {
    requireChangeable(this.options.isFixed)
    return this.call('cancel', encode(SwapCancel, cancellation), signatures)
  }

  /** A member's operator asks what would become of a swap here. */
  async question(from: MemberIndex, question: PreflightQuestion): Promise<void> {
    const { clock, notes } = this.options
    if (this.answering.has(from)) return void this.answering.set(from, question)
    for (let next: PreflightQuestion | undefined = question; next; next = this.answering.get(from)) {
      this.answering.set(from, undefined)
      const beganMs = clock.elapsedMs()
      notes.tell({ $case: 'preflightAnswer', value: await this.answerTo(next) }, from)
      const restMs = Math.min(LONGEST_REST_MS, REST_TIMES * (clock.elapsedMs() - beganMs))
      if (restMs > 0) await new Promise<void>((resolve) => void clock.setTimer(restMs, resolve))
    }
    this.answering.delete(from)
  }

  /** A member's host came (again): what it was asked may be lost with its former link, or its answer. */
  met(index: MemberIndex): void {
    const member = this.options.members[index]
    for (const { question, isAwaited } of this.asking.values()) {
      if (member && isAwaited(member)) this.options.notes.tell({ $case: 'preflightQuestion', value: question }, index)
    }
  }

  answered(from: MemberIndex, answer: PreflightAnswer): void {
    const asking = this.asking.get(answer.token)
    if (!asking || asking.answers.has(from)) return
    const { engine, version, codeDigest, refusal, halted } = answer
    // People read it, and whoever says it may be a liar.
    const words = { engine: shown(engine), version: shown(version), codeDigest: shown(codeDigest), refusal: shown(refusal), halted: shown(halted) }
    asking.answers.set(from, { ...answer, ...words })
    asking.look()
  }

  private call(name: 'prepare' | 'cancel', argument: Uint8Array, signatures: Uint8Array = new Uint8Array(0)): Promise<Accepted> {
    const txid = `consensus-${name}-${hex(this.options.randomBytes(16))}`
    return this.options.submit(callTransaction(txid, name, signatures.length > 0 ? [argument, signatures] : [argument]))
  }

  private async ask({ engine, version, options }: SwapProposal): Promise<PreflightRow[]> {
    const { members, self, notes, clock, reaches } = this.options
    const token = ++this.token
    const answers = new Map<MemberIndex, PreflightAnswer>()
    const question: PreflightQuestion = { token, engine, version, options }
    await new Promise<void>((resolve) => {
      let isLate = false
      const enough = (): void => {
        stopWaiting()
        stopAll()
        resolve()
      }
      const isAwaited = ({ index }: Member): boolean => !answers.has(index) && (!isLate || index === self || reaches(index))
      const look = (): void => {
        if (!members.some(isAwaited)) enough()
      }
      const stopWaiting = clock.setTimer(ANSWER_MS, () => {
        isLate = true
        look()
      })
      const stopAll = clock.setTimer(LOADED_MS, enough)
      this.asking.set(token, { question, answers, look, isAwaited })
      notes.tell({ $case: 'preflightQuestion', value: question })
      this.answerTo(question).then(
        (own) => this.answered(self, own),
        () => undefined,
      )
    })
    this.asking.delete(token)
    return members.map((member) => ({ member, answer: answers.get(member.index) }))
  }

  /** Never rejects: whatever is wrong is the answer. */
  private async answerTo(question: PreflightQuestion): Promise<PreflightAnswer> {
    const { succession, height, halted } = this.options
    const name = question.engine.slice(0, MAX_ASKED)
    const version = question.version.slice(0, MAX_ASKED)
    const key = JSON.stringify([name, version, question.options])
    const finding = this.shared.get(key) ?? this.find(name, version, question.options).finally(() => this.shared.delete(key))
    this.shared.set(key, finding)
    const found = await finding
    return { ...found, token: question.token, epoch: succession.record.epoch, height: height(), halted: halted() ?? '' }
  }

  private async find(name: string, version: string, options: string): Promise<Found> {
    const { engines, members } = this.options
    try {
      const engine = await engines.find(name, version === '' ? undefined : version)
      const found = { engine: engine.name, version: engine.version, codeDigest: engine.codeDigest ?? '', isolated: engine.isolated }
      try {
        await engine.checkOptions(JSON.parse(options), members)
        return { ...found, refusal: '' }
      } catch (error) {
        return { ...found, refusal: messageOf(error) }
      }
    } catch (error) {
      return { engine: '', version: '', codeDigest: '', isolated: false, refusal: messageOf(error) }
    }
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function changesNothing({ engine, version, codeDigest, options }: SwapProposal, record: EpochRecord): boolean {
  if (engine !== record.engine || version !== record.version || codeDigest !== record.codeDigest) return false
  const asked: unknown = JSON.parse(options)
  const present: unknown = JSON.parse(record.options === '' ? '{}' : record.options)
  return isDeepStrictEqual(asked, present)
}

/** What speaks against a proposal in the answers; undefined: nothing. */
function refusalsIn(rows: readonly PreflightRow[], { engine, version, codeDigest }: SwapProposal, record: EpochRecord): string | undefined {
  const faults = rows.flatMap(({ member, answer }): string[] => {
    if (!answer) return []
    if (answer.refusal !== '') return [`${member.id}: ${answer.refusal}`]
    if (answer.version !== version || answer.codeDigest !== codeDigest)
      return [
        `${member.id} has ${engine} ${answer.version} with code ${answer.codeDigest || 'of its site'}, not ${version} with ${codeDigest || 'code of the site'}`,
      ]
    return answer.epoch === record.epoch ? [] : [`${member.id} is in epoch ${answer.epoch}, this validator in ${record.epoch}`]
  })
  return faults.length === 0 ? undefined : faults.join('; ')
}
