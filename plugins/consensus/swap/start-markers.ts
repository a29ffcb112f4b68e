import type { Clock, Logger } from '../../../kernel/index.js'
import { type CrossingNote, EpochMarker, type EpochRecord, Transaction } from '../../../proto/index.js'
import type { Member, MemberIndex } from '../engine/engine.js'
import type { ConsensusSigner } from '../session/signer.js'
import { callOf, readAs, succession } from './calls.js'
import { isSignedBy } from './contract.js'

/** So long a validator waits for the markers of the others, and for the first leader to have them ordered, before it has its own ordered with those that it knows. */
const GATHER_MS = 100
/** A marker is a few hundred bytes; signatures are short. */
const MAX_MARKER_BYTES = 2048

export interface StartMarkersOptions {
  readonly members: readonly Member[]
  readonly self: MemberIndex
  readonly clock: Pick<Clock, 'setTimer'>
  readonly log: Logger
  readonly signer: ConsensusSigner | undefined
  readonly hashOf: (block: bigint) => Uint8Array | undefined
  /** Has these markers ordered, in this order. `startsEpoch`: this validator leads first, and they are all that the start needs. */
  readonly submit: (markers: readonly Uint8Array[], startsEpoch: boolean) => void
}

/** The txid of a member's start marker. */
export const markerName = (epoch: bigint, member: MemberIndex): string => `consensus-start-${epoch}-${member}`

/**
 * Gathers the start markers of the members, which tell them from host to host as soon as their engine runs, and has them ordered together: at the epoch's first leader,
 * which needs no message for that, elsewhere only if that takes too long. The engine of an epoch so orders in its first round what it needs for the start; each on its
 * own they would take as many rounds as they come in. What counts is still what is executed.
 */
export class StartMarkers {
  private record: EpochRecord | undefined
  private readonly gathered = new Map<MemberIndex, Uint8Array>()
  /** The newest marker that each member told of: it may have crossed before this validator. */
  private readonly told = new Map<MemberIndex, Pick<CrossingNote, 'epoch' | 'marker'>>()
  private readonly checking = new Set<MemberIndex>()
  /** Whose markers were ordered from here. */
  private readonly said = new Set<MemberIndex>()
  private own: Uint8Array | undefined
  private isOpen = false

  constructor(private readonly options: StartMarkersOptions) {}

  /** The engine of `record`'s epoch runs here, and `own` says so. */
  async begin(record: EpochRecord, own: Uint8Array): Promise<void> {
    this.record = record
    this.own = own
    this.isOpen = false
    this.gathered.clear()
    this.said.clear()
    this.options.clock.setTimer(GATHER_MS, () => {
      if (this.record === record && !this.isOpen) this.insist(record)
    })
    const present = [...this.told].filter(([, { epoch }]) => epoch === record.epoch)
    await Promise.all(present.map(([member, { marker }]) => this.take(record, member, marker)))
    // While nobody needs the own marker it would only be one more in front of the first transactions of clients.
    if (this.record !== record || this.isEnough(record)) return
    this.gathered.set(this.options.self, own)
    this.look(record)
  }

  /** The epoch has started, by the markers of these members. This validator's own is ordered now if it is none of them. */
  opened(started: readonly MemberIndex[]): void {
    const { self } = this.options
    const { own, record } = this
    if (!record || !own) return
    this.isOpen = true
    this.gathered.set(self, own)
    if (!started.includes(self)) this.say(record, [self])
  }

  /** The engine of the epoch runs here no more. */
  end(): void {
    this.record = undefined
  }

  /** A member said where it is. Rejects if its signature cannot be checked. */
  async heard(from: MemberIndex, { epoch, marker }: Pick<CrossingNote, 'epoch' | 'marker'>): Promise<void> {
    if (marker.length === 0 || marker.length > MAX_MARKER_BYTES) return
    this.told.set(from, { epoch, marker })
    if (this.record?.epoch === epoch) await this.take(this.record, from, marker)
  }

  private async take(record: EpochRecord, from: MemberIndex, marker: Uint8Array): Promise<void> {
    if (this.gathered.has(from) || this.checking.has(from)) return
    this.checking.add(from)
    const isSound = await this.isSound(record, from, marker)
    this.checking.delete(from)
    if (!isSound) return this.options.log.debug('a start marker of a member is dropped: it is none of this epoch', { member: from })
    if (this.record !== record) return
    // Of what is more than enough the owner has its own ordered when the epoch has started.
    const isOneTooMany = this.isEnough(record)
    this.gathered.set(from, marker)
    if (this.said.size === 0) this.look(record)
    else if (!isOneTooMany && !this.isOpen) this.say(record, [from])
  }

  /** Whether this is the very transaction with which that member says that it has started: what is executed counts, but nothing else may be had ordered so. */
  private async isSound({ epoch, activation }: EpochRecord, from: MemberIndex, marker: Uint8Array): Promise<boolean> {
    const { members, signer, hashOf } = this.options
    const member = members[from]
    const own = hashOf(activation)
    const argument = argumentOf(marker)
    const said = argument && readAs(EpochMarker, argument)
    if (!member || !own || !said) return false
    const isCanonical = Buffer.compare(succession(markerName(epoch, from), 'start', [argument]), marker) === 0
    const isOfEpoch = said.epoch === epoch && said.member === from && said.recovered === undefined && Buffer.compare(said.hash, own) === 0
    if (!isCanonical || !isOfEpoch) return false
    return !signer || isSignedBy(signer, member, 'start', said, EpochMarker)
  }

  private isEnough({ markersNeeded, started }: EpochRecord): boolean {
    return new Set([...started, ...this.gathered.keys()]).size >= markersNeeded
  }

  private look(record: EpochRecord): void {
    if (record.firstLeader === this.options.self && this.isEnough(record)) this.say(record, this.gathered.keys())
  }

  /** It takes too long. */
  private insist(record: EpochRecord): void {
    if (this.own) this.gathered.set(this.options.self, this.own)
    this.say(record, this.gathered.keys())
  }

  private say(record: EpochRecord, members: Iterable<MemberIndex>): void {
    const fresh = [...members].filter((member) => !this.said.has(member)).sort((left, right) => left - right)
    for (const member of fresh) this.said.add(member)
    const markers = fresh.flatMap((member) => this.gathered.get(member) ?? [])
    const startsEpoch = record.firstLeader === this.options.self && this.isEnough(record) && !this.isOpen
    if (markers.length > 0) this.options.submit(markers, startsEpoch)
  }
}

function argumentOf(marker: Uint8Array): Uint8Array | undefined {
  const transaction = readAs(Transaction, marker)
  const asked = transaction && callOf(transaction)
  return asked?.call === 'start' ? asked.args[0] : undefined
}
