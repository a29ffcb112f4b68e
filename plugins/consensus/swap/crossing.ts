import type { Clock } from '../../../kernel/index.js'
import type { CrossingNote, EpochRecord } from '../../../proto/index.js'
import type { MemberIndex } from '../engine/engine.js'
import type { HostNotes } from '../notes.js'

const REPEAT_MS = 1000
/** So long the engine of the epoch before helps the last ones, when enough have crossed and nobody depends on it: what is on its way to them arrives. */
const LINGER_MS = 1000
/** A member whose late messages show that it is behind is told so at most this often. */
const TELL_EVERY_MS = 200
const NO_MARKER = new Uint8Array(0)

export interface CrossingOptions {
  readonly members: number
  readonly self: MemberIndex
  readonly notes: Pick<HostNotes, 'tell'>
  readonly clock: Pick<Clock, 'elapsedMs' | 'setTimer'>
  readonly height: () => bigint
  readonly hashOf: (block: bigint) => Uint8Array | undefined
  readonly isOver: () => boolean
  /** Enough members have committed the activation block: nobody needs the engine of the epoch before any more. */
  readonly complete: () => void
}

/**
 * Who has committed the activation block of the present epoch. Until enough members have, the engine of the epoch before goes on voting for those who have
 * not; whoever is late is told where the others are.
 */
export class Crossing {
  private record: EpochRecord | undefined
  private marker: Uint8Array = NO_MARKER
  private needed = 0
  private readonly heard = new Set<MemberIndex>()
  private readonly toldAt = new Map<MemberIndex, number>()
  private isWaiting = false
  private isLingering = false

  constructor(private readonly options: CrossingOptions) {}

  /** This validator is in `record`'s epoch. `needed`: how many members, this one included, must have committed its activation block; 0: nothing waits for it. */
  enter(record: EpochRecord, needed: number): void {
    this.record = record
    this.marker = NO_MARKER
    this.needed = needed
    this.heard.clear()
    this.heard.add(this.options.self)
    this.isWaiting = needed > 0
    this.isLingering = false
    if (record.epoch === 0n) return
    this.options.notes.tell(this.note(false))
    this.check()
    this.repeat(record.epoch)
  }

  /** The engine of the epoch runs here: tells the others this validator's start marker. */
  started(marker: Uint8Array): void {
    this.marker = marker
    this.options.notes.tell(this.note(false))
  }

  /** A member said where it is. True if it is in this epoch, or an earlier one. */
  received(from: MemberIndex, { epoch, activation, hash, asks }: CrossingNote): void {
    const { record } = this
    if (!record) return
    if (asks) this.tell(from)
    if (epoch !== record.epoch || activation !== record.activation || epoch === 0n) return
    const own = this.options.hashOf(activation)
    if (own === undefined || Buffer.compare(own, hash) !== 0) return
    this.heard.add(from)
    this.check()
  }

  /** Tells a member where this validator is; rarely, however often it is called. */
  tell(member: MemberIndex): void {
    this.tellRarely(member, false)
  }

  /** Asks a member, which seems to be ahead, where it is. */
  ask(member: MemberIndex): void {
    this.tellRarely(member, true)
  }

  /** A member came (again). */
  met(member: MemberIndex): void {
    if (this.record && this.record.epoch > 0n) this.options.notes.tell(this.note(this.isWaiting), member)
  }

  /** Members that are known to have committed the activation block. */
  get crossed(): readonly MemberIndex[] {
    return [...this.heard].sort((left, right) => left - right)
  }

  private tellRarely(member: MemberIndex, asks: boolean): void {
    const now = this.options.clock.elapsedMs()
    if (now - (this.toldAt.get(member) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return
    this.toldAt.set(member, now)
    if (this.record) this.options.notes.tell(this.note(asks), member)
  }

  private check(): void {
    if (!this.isWaiting || this.heard.size < this.needed) return
    const { members, clock, isOver } = this.options
    if (this.heard.size === members) return this.finish()
    if (this.isLingering) return
    this.isLingering = true
    const { record } = this
    clock.setTimer(LINGER_MS, () => {
      if (!isOver() && this.record === record && this.isWaiting) this.finish()
    })
  }

  private finish(): void {
    this.isWaiting = false
    this.options.complete()
  }

  private repeat(epoch: bigint): void {
    const { clock, isOver, members, self } = this.options
    clock.setTimer(REPEAT_MS, () => {
      if (isOver() || this.record?.epoch !== epoch || !this.isWaiting) return
      for (let member = 0; member < members; member++) if (member !== self && !this.heard.has(member)) this.options.notes.tell(this.note(true), member)
      this.repeat(epoch)
    })
  }

  private note(asks: boolean): { $case: 'crossing'; value: CrossingNote } {
    const { epoch, activation, isRecovery } = this.record ?? { epoch: 0n, activation: 0n, isRecovery: false }
    const { height, hashOf } = this.options
    const hash = epoch === 0n ? undefined : hashOf(activation)
    return {
      $case: 'crossing',
      value: { epoch, activation, hash: hash ?? new Uint8Array(0), height: height(), asks, recovery: isRecovery, marker: this.marker },
    }
  }
}
