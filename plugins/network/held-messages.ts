const MAX_MESSAGES = 16_384
const MAX_BYTES = 16 * 1024 * 1024

/** What one member sent. */
interface Held {
  readonly messages: Uint8Array[]
  bytes: number
  /** One did not fit: it and what came after it are not kept. */
  isBroken: boolean
}

/** What members send before anybody here receives it: they see the link, and say things once. Bounded for each of them. */
export class HeldMessages {
  private readonly members = new Map<number, Held>()

  add(member: number, bytes: Uint8Array): void {
    const held = this.members.get(member) ?? { messages: [], bytes: 0, isBroken: false }
    this.members.set(member, held)
    held.isBroken ||= held.messages.length >= MAX_MESSAGES || held.bytes + bytes.length > MAX_BYTES
    if (held.isBroken) return
    held.bytes += bytes.length
    // It may be a part of a frame with many others.
    held.messages.push(new Uint8Array(bytes))
  }

  /** The member has gone: what it said before is lost with its link. */
  forget(member: number): void {
    this.members.delete(member)
  }

  /** Takes out what a member sent, in order. */
  take(member: number): Pick<Held, 'messages' | 'isBroken'> {
    const held = this.members.get(member) ?? { messages: [], isBroken: false }
    this.members.delete(member)
    return held
  }
}
