import type { Message_Type, Timestamp } from '../../proto/index.js'
import type { ConsensusTransport } from '../consensus/index.js'
import { HeldMessages } from './held-messages.js'
import type { LinkTable } from './link-table.js'
import { encodeMessage } from './messages.js'

type Handlers = Parameters<ConsensusTransport['receive']>[0]

/** What tells one kind of consensus traffic from another. */
export interface TransportKind {
  /** Message type on the wire. */
  readonly type: Message_Type
  /** What a neighbour's HELLO must declare to get it; undefined: nothing. */
  readonly capability: string | undefined
  /** The time that its messages carry; left out: none. */
  readonly time?: (() => Timestamp) | undefined
  /** Whether consensus runs here: what comes before it receives waits for it. */
  readonly isAwaited: boolean
}

/** Consensus messages by the number of a member. A member is whoever is connected under its id and says that it validates. */
export class MemberTransport implements ConsensusTransport {
  private handlers: Handlers | undefined
  private readonly up = new Set<number>()
  private readonly held = new HeldMessages()
  private lastBytes: Uint8Array | undefined
  private lastEncoded: Uint8Array = new Uint8Array(0)

  constructor(
    private readonly kind: TransportKind,
    /** Ids by number. */
    private readonly members: readonly string[],
    private readonly table: LinkTable,
    private readonly isValidator: (id: string) => boolean,
  ) {}

  send(to: number, bytes: Uint8Array): void {
    const id = this.members[to]
    if (id === undefined || !this.up.has(to)) return
    const link = this.table.get(id)?.active
    if (link === undefined) return
    // A broadcast comes as one call a member, with the same bytes: encoded once.
    if (bytes !== this.lastBytes) {
      this.lastEncoded = encodeMessage(this.kind.type, bytes, this.kind.time?.())
      this.lastBytes = bytes
    }
    link.sendConsensus(this.lastEncoded)
  }

  receive(handlers: Handlers): void {
    this.handlers = handlers
    for (const member of this.up) {
      handlers.peer(member, true)
      this.tellHead(member)
      const { messages, isBroken } = this.held.take(member)
      for (const message of messages) handlers.message(member, message)
      if (isBroken) for (const isUp of [false, true]) handlers.peer(member, isUp)
    }
  }

  /** A message of a neighbour. False: it is no member. */
  received(id: string, bytes: Uint8Array): boolean {
    const member = this.members.indexOf(id)
    if (member < 0 || !this.up.has(member)) return false
    if (this.handlers) this.handlers.message(member, bytes)
    else if (this.kind.isAwaited) this.held.add(member, bytes)
    return true
  }

  /** A neighbour came (again), or went. */
  changed(id: string, isUp: boolean): void {
    const member = this.members.indexOf(id)
    if (member < 0) return
    if (isUp) this.came(member, id)
    else if (this.up.delete(member)) {
      this.held.forget(member)
      this.handlers?.peer(member, false)
    }
  }

  private came(member: number, id: string): void {
    const { capability } = this.kind
    const hello = this.table.get(id)?.active.hello
    if (hello === undefined || !this.isValidator(id)) return
    if (capability !== undefined && hello.weft?.capabilities.has(capability) !== true) return
    if (this.up.has(member)) return
    this.up.add(member)
    this.handlers?.peer(member, true)
    this.tellHead(member)
  }

  /** Of an original: Weft peers tell their heads again and again. */
  private tellHead(member: number): void {
    const hello = this.table.get(this.members[member] ?? '')?.active.hello
    if (hello !== undefined && hello.weft === undefined) this.handlers?.head?.(member, { height: hello.head.height, hash: hello.head.currentBlockHash })
  }
}
