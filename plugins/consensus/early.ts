import { detached } from './detached.js'
import type { ConsensusLimits } from './limits.js'
import type { MemberIndex } from './engine.js'

interface Held {
  readonly messages: Uint8Array[]
  bytes: number
  /** A message did not fit: what came later is not kept either. */
  isBroken: boolean
}

const MOST_CHANNELS = 4
const MOST_REMEMBERED = 64

/**
 * Messages of engines that do not run here yet, or not at this moment: other validators commit the activation block, or load a candidate, sooner. Bounded for each
 * member; one that says more than fits is treated as if its link had broken in between, which engines are built for.
 */
export class EarlyMessages {
  /** Channels whose engine has come and gone. */
  private readonly over = new Set<string>()
  private readonly held = new Map<string, Map<MemberIndex, Held>>()

  constructor(private readonly limits: Pick<ConsensusLimits, 'maxInboundPerMember' | 'maxInboundBytesPerMember'>) {}

  /** `channel` names the engine that the message is for. Undefined: one that is not kept. */
  add(channel: string, from: MemberIndex, message: Uint8Array | undefined): void {
    if (this.over.has(channel)) return
    const members = this.held.get(channel) ?? new Map<MemberIndex, Held>()
    // A member that lies may name engines without end.
    if (!members.has(from) && this.channelsOf(from) >= MOST_CHANNELS) return
    this.held.set(channel, members)
    const held = members.get(from) ?? { messages: [], bytes: 0, isBroken: false }
    members.set(from, held)
    held.isBroken ||= message === undefined || !this.hasRoom(held, from, message.length)
    if (held.isBroken || message === undefined) return
    held.messages.push(detached(message))
    held.bytes += message.length
  }

  /** A member said something to an engine that is too far ahead to be kept: it has a gap. */
  lost(channel: string, from: MemberIndex): void {
    this.add(channel, from, undefined)
  }

  /** An engine will never run here, or not again. */
  forget(channel: string): void {
    this.held.delete(channel)
    this.over.delete(channel)
    this.over.add(channel)
    const [oldest] = this.over.size > MOST_REMEMBERED ? this.over : []
    if (oldest !== undefined) this.over.delete(oldest)
  }

  /** An engine that has run here will run again. */
  reopen(channel: string): void {
    this.over.delete(channel)
  }

  /** Takes out what members said to an engine that begins now, in order for each member. */
  take(channel: string): Iterable<{ readonly from: MemberIndex; readonly messages: readonly Uint8Array[]; readonly isBroken: boolean }> {
    const members = this.held.get(channel) ?? new Map<MemberIndex, Held>()
    this.forget(channel)
    return [...members].map(([from, { messages, isBroken }]) => ({ from, messages, isBroken }))
  }

  /** Forgets all channels but these: their engines will never run. */
  keep(wanted: (channel: string) => boolean): void {
    for (const channel of this.held.keys()) if (!wanted(channel)) this.held.delete(channel)
  }

  /** A member's link that carries these channels broke: what it said before may have a gap behind it. */
  broke(member: MemberIndex, carries: (channel: string) => boolean): void {
    for (const [channel, members] of this.held) {
      const held = carries(channel) ? members.get(member) : undefined
      if (held) held.isBroken = true
    }
  }

  /** The bound in bytes is for all that a member has here: it may name engines that nobody has heard of. */
  private hasRoom({ messages }: Held, from: MemberIndex, bytes: number): boolean {
    const { maxInboundPerMember, maxInboundBytesPerMember } = this.limits
    let kept = bytes
    for (const members of this.held.values()) kept += members.get(from)?.bytes ?? 0
    return messages.length < maxInboundPerMember && kept <= maxInboundBytesPerMember
  }

  private channelsOf(member: MemberIndex): number {
    let channels = 0
    for (const members of this.held.values()) if (members.has(member)) channels++
    return channels
  }
}
