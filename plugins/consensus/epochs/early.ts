import { detached } from '../aids/detached.js'
import type { ConsensusLimits } from '../limits.js'
import type { MemberIndex } from '../engine/engine.js'

interface Held {
  readonly messages: Uint8Array[]
  bytes: number
  /** A message did not fit: what came later is not kept either. */
  isBroken: boolean
}

/** Candidates come one after the other: what a member said to older ones than these is given up. */
const MOST_CANDIDATES = 3
const MOST_REMEMBERED = 64

/** What one member said to an engine that begins now; `isBroken`: what it said after these is not there. */
export interface Taken {
  readonly from: MemberIndex
  readonly messages: readonly Uint8Array[]
  readonly isBroken: boolean
}

/** What waits for one engine, by member. */
interface Channel {
  readonly isCandidate: boolean
  readonly members: Map<MemberIndex, Held>
}

/**
 * Messages of engines that do not run here yet, or not at this moment: other validators commit the activation block, or load a candidate, sooner. Bounded for each
 * member; one that says more than fits is treated as if its link had broken in between, which engines are built for.
 */
export class EarlyMessages {
  /** Channels whose engine has come and gone. */
  private readonly over = new Set<string>()
  private readonly held = new Map<string, Channel>()
  /** The latest epoch to whose engine a member said something that was too far ahead to be kept. */
  private readonly lostUpTo = new Map<MemberIndex, bigint>()

  constructor(private readonly limits: Pick<ConsensusLimits, 'maxInboundPerMember' | 'maxInboundBytesPerMember'>) {}

  /** To the engine of an epoch: of the present or the next one, so that its callers keep the number of epochs small. Undefined: one that is not kept. */
  add(epoch: bigint, from: MemberIndex, message: Uint8Array | undefined): void {
    this.put(String(epoch), false, from, message)
  }

  /** To a candidate; whatever a member names, these never take the room of epochs. */
  addToCandidate(candidate: string, from: MemberIndex, message: Uint8Array): void {
    if (!this.held.get(candidate)?.members.has(from)) this.giveUpOldCandidates(from)
    this.put(candidate, true, from, message)
  }

  /** A member said something to the engine of an epoch that is too far ahead to be kept: it has a gap, as those before it may have. */
  lost(epoch: bigint, from: MemberIndex): void {
    const known = this.lostUpTo.get(from)
    if (known === undefined || known < epoch) this.lostUpTo.set(from, epoch)
  }

  /** A candidate is tried no more. */
  forgetCandidate(candidate: string): void {
    this.forget(candidate)
  }

  /** The engine of an epoch, which has run here, will run again. */
  reopen(epoch: bigint): void {
    this.over.delete(String(epoch))
  }

  /** Takes out what members said to the engine of an epoch, which begins now, in order for each member. */
  take(epoch: bigint): readonly Taken[] {
    const taken = this.takeOut(String(epoch))
    const isLost = (from: MemberIndex): boolean => (this.lostUpTo.get(from) ?? -1n) >= epoch
    const silent = [...this.lostUpTo.keys()].filter((from) => isLost(from) && taken.every((one) => one.from !== from))
    return [
      ...taken.map(({ from, messages, isBroken }) => ({ from, messages, isBroken: isBroken || isLost(from) })),
      ...silent.map((from) => ({ from, messages: [], isBroken: true })),
    ]
  }

  /** As `take`, for a candidate whose trial begins now. */
  takeForCandidate(candidate: string): readonly Taken[] {
    return this.takeOut(candidate)
  }

  /** An epoch is entered: forgets what is for earlier ones, and, unless those of this epoch may be on trial, for candidates. */
  entered(epoch: bigint, keepsCandidates: boolean): void {
    for (const [name, { isCandidate }] of this.held) if (isCandidate ? !keepsCandidates : BigInt(name) < epoch) this.held.delete(name)
  }

  /** A member's link that carries these channels broke: what it said before may have a gap behind it. */
  broke(member: MemberIndex, carriesFirstEpoch: boolean): void {
    for (const [name, { members }] of this.held) {
      const held = (name === '0') === carriesFirstEpoch ? members.get(member) : undefined
      if (held) held.isBroken = true
    }
  }

  private put(name: string, isCandidate: boolean, from: MemberIndex, message: Uint8Array | undefined): void {
    if (this.over.has(name)) return
    const channel = this.held.get(name) ?? { isCandidate, members: new Map<MemberIndex, Held>() }
    this.held.set(name, channel)
    const held = channel.members.get(from) ?? { messages: [], bytes: 0, isBroken: false }
    channel.members.set(from, held)
    held.isBroken ||= message === undefined || !this.hasRoom(held, from, message.length)
    if (held.isBroken || message === undefined) return
    held.messages.push(detached(message))
    held.bytes += message.length
  }

  /** A member that lies may name candidates without end: of the older ones no more is known than that something was said, then nothing. */
  private giveUpOldCandidates(from: MemberIndex): void {
    const channels = [...this.held.values()].filter(({ isCandidate, members }) => isCandidate && members.has(from))
    for (const { members } of channels.slice(0, 1 - MOST_CANDIDATES)) members.set(from, { messages: [], bytes: 0, isBroken: true })
    if (channels.length >= MOST_REMEMBERED) channels[0]?.members.delete(from)
    for (const [name, { members }] of this.held) if (members.size === 0) this.held.delete(name)
  }

  private takeOut(name: string): readonly Taken[] {
    const members = this.held.get(name)?.members ?? new Map<MemberIndex, Held>()
    this.forget(name)
    return [...members].map(([from, { messages, isBroken }]) => ({ from, messages, isBroken }))
  }

  /** An engine will never run here, or not again. */
  private forget(name: string): void {
    this.held.delete(name)
    this.over.delete(name)
    this.over.add(name)
    const [oldest] = this.over.size > MOST_REMEMBERED ? this.over : []
    if (oldest !== undefined) this.over.delete(oldest)
  }

  /** The bound in bytes is for all that a member has here. */
  private hasRoom({ messages }: Held, from: MemberIndex, bytes: number): boolean {
    const { maxInboundPerMember, maxInboundBytesPerMember } = this.limits
    let kept = bytes
    for (const { members } of this.held.values()) kept += members.get(from)?.bytes ?? 0
    return messages.length < maxInboundPerMember && kept <= maxInboundBytesPerMember
  }
}
