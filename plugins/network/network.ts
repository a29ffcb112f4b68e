import { type Clock, type Logger, messageOf } from '../../kernel/index.js'
import { type Message, Message_Type, type NetworkStatus, type PeerEndpoint, PeerEndpoint_Type } from '../../proto/index.js'
import type { HelloBoard, HelloDeclaration } from '../consensus/index.js'
import type { AddressBook } from './address-book.js'
import type { ChatStream } from './chat-stream.js'
import { Dialer } from './dialer.js'
import { Discovery } from './discovery.js'
import type { Hello } from './hello.js'
import type { Greeter, SelfEndpoint } from './greeter.js'
import { Link } from './link.js'
import { LinkTable } from './link-table.js'
import { MemberTransport } from './member-transport.js'
import { EPOCHS, typeName } from './messages.js'
import { QuietLog } from './quiet-log.js'
import { statusOf } from './status.js'
import type { Network } from './tokens.js'

/** Streams without an accepted HELLO; beyond it the oldest makes room. */
const MAX_STRANGERS = 128
const HELLO_TIMEOUT_MS = 10_000
const YIELD_MS = 250

/** What state transfer takes; a notice of a new block, SYNC_BLOCK_ADDED, is ignored as in v0.6. */
const SYNC_TYPES: ReadonlySet<Message_Type> = new Set([
  Message_Type.SYNC_GET_BLOCKS,
  Message_Type.SYNC_BLOCKS,
  Message_Type.SYNC_STATE_GET_SNAPSHOT,
  Message_Type.SYNC_STATE_SNAPSHOT,
  Message_Type.SYNC_STATE_GET_DELTAS,
  Message_Type.SYNC_STATE_DELTAS,
])

/** Takes the messages of state transfer, of established links alone. Must not throw anything but WireError and PeerError. */
export interface SyncHandler {
  received(link: Link, message: Message): void
  closed(link: Link): void
}

export interface NetworkOptions {
  readonly self: SelfEndpoint
  /** Ids of all validators, by number. */
  readonly members: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  readonly defer: (task: () => void) => void
  readonly random: () => number
  readonly book: AddressBook
  /** Makes and judges HELLOs. */
  readonly greeter: Greeter
  readonly rootNodes: readonly string[]
  readonly periodMs: number
  readonly touchPeriodMs: number
  readonly maxDials: number
  readonly maxLinks: number
  /** CONSENSUS messages carry the time, as those of noops do in v0.6; those of PBFT do not (spec/wire.md §11.3). Default false. */
  readonly timesConsensus?: boolean
  /** Connects and opens a stream; rejects if that fails. */
  readonly open: (address: string) => Promise<ChatStream>
}

/** All links of one peer: who is let in, and where messages go. */
export class PeerNetwork implements Network, HelloBoard {
  readonly transport: MemberTransport
  readonly epochs: MemberTransport
  sync: SyncHandler | undefined
  private readonly table: LinkTable
  private readonly dialer: Dialer
  private readonly discovery: Discovery
  private readonly quiet: QuietLog
  private readonly self: string
  private readonly isValidator: boolean
  private readonly strangers = new Map<Link, () => void>()
  /** Whom a dialled address led to. */
  private readonly aliases = new Map<string, string>()
  private rejected = 0n
  private isClosed = false

  constructor(private readonly options: NetworkOptions) {
    const { self, members, clock, log, random, maxLinks, periodMs, touchPeriodMs, maxDials } = options
    this.self = self.ID.name
    this.isValidator = self.type === PeerEndpoint_Type.VALIDATOR
    this.quiet = new QuietLog(log, clock)
    this.table = new LinkTable({
      self: this.self,
      maxNeighbours: maxLinks,
      isReserved: (id) => members.includes(id),
      isGreeting: (address) => [...this.strangers.keys()].some(({ dialled }) => dialled === address),
    })
    this.dialer = new Dialer({
      clock,
      isSelf: (address) => address === self.address,
      maxPeriodMs: touchPeriodMs,
      maxDials,
      random,
      isConnected: (address) => this.isConnected(address),
      dial: (address) => void this.dial(address),
    })
    this.discovery = new Discovery({
      clock,
      self,
      periodMs,
      endpoints: () => this.peers(),
      isKnown: (id) => this.table.get(id) !== undefined,
      // Of two Weft peers that hear of each other at once, the link that the smaller id dials is the one that stays: the other one waits for it.
      found: (id, address) => this.dialer.add(address, 'candidate', id < this.self ? YIELD_MS : 0),
      rejected: (link, why) => this.reject(link, why),
      usesLink: (link) => this.usesLink(link),
    })
    const saysItValidates = (id: string): boolean => this.table.get(id)?.active.hello?.endpoint.type === PeerEndpoint_Type.VALIDATOR
    const time = options.timesConsensus === true ? () => clock.now() : undefined
    const isAwaited = this.isValidator
    this.transport = new MemberTransport({ type: Message_Type.CONSENSUS, capability: undefined, time, isAwaited }, members, this.table, saysItValidates)
    this.epochs = new MemberTransport({ type: Message_Type.WEFT_EPOCH, capability: EPOCHS, isAwaited }, members, this.table, saysItValidates)
  }

  /** Begins to connect: the root nodes, and whoever was connected before. */
  start(): void {
    for (const address of this.options.rootNodes) this.dialer.add(address, 'root')
    for (const address of this.options.book.load()) this.dialer.add(address, 'known')
  }

  async stop(): Promise<void> {
    this.isClosed = true
    this.dialer.close()
    for (const link of [...this.strangers.keys(), ...this.links()]) link.close('this peer is stopping', false)
    await this.options.book.close()
  }

  /** A stream that somebody opened. */
  accept(stream: ChatStream): void {
    if (this.isClosed) return stream.end('this peer is stopping')
    const oldest = this.strangers.size < MAX_STRANGERS ? undefined : [...this.strangers.keys()].find(({ dialled }) => dialled === undefined)
    if (oldest !== undefined) {
      this.quiet.say('warning', 'strangers', 'a stream that sent no HELLO makes room for another one', { remote: oldest.remote, bound: MAX_STRANGERS })
      oldest.close('it sent no HELLO, and others wait')
    }
    this.addStranger(stream, undefined)
  }

  peers(): readonly PeerEndpoint[] {
    return this.table.endpoints()
  }

  declare(declaration: HelloDeclaration): void {
    this.options.greeter.declare(declaration)
  }

  status(): NetworkStatus {
    return statusOf({
      id: this.self,
      nowMs: this.options.clock.elapsedMs(),
      links: this.links(),
      roundTripMs: (link) => this.discovery.roundTripMs(link),
      dials: this.dialer.failing(),
      rejected: this.rejected,
    })
  }

  /** The link on which messages to a peer leave. */
  linkTo(id: string): Link | undefined {
    return this.table.get(id)?.active
  }

  /** Links to everybody of a type. */
  linksOf(type: PeerEndpoint_Type): Link[] {
    return [...this.table.all()].map(({ active }) => active).filter(({ hello }) => hello?.endpoint.type === type)
  }

  /** Counts and, now and then, logs what is dropped; the stream stays open, as in v0.6. */
  reject(link: Link, why: string): void {
    this.rejected++
    this.quiet.say('warning', `rejected by ${link.hello?.id ?? 'a stranger'}`, `a message of a peer is dropped: ${why}`, {
      peer: link.hello?.id,
      remote: link.remote,
    })
  }

  private async dial(address: string): Promise<void> {
    try {
      const stream = await this.options.open(address)
      if (this.isClosed) return stream.end(undefined)
      const link = this.addStranger(stream, address)
      link.greet(this.options.greeter.hello())
    } catch (error) {
      const reason = messageOf(error)
      this.options.log.debug('a peer cannot be reached', { address, reason })
      this.dialer.lost(address, reason, false)
    }
  }

  private addStranger(stream: ChatStream, dialled: string | undefined): Link {
    const { clock, defer } = this.options
    const link = new Link(stream, dialled, {
      clock,
      defer,
      received: (from, message) => this.received(from, message),
      rejected: (from, why) => this.reject(from, why),
      lagging: (to, isLagging) => this.lagging(to, isLagging),
      closed: (which, reason) => this.closed(which, reason),
    })
    const cancel = clock.setTimer(HELLO_TIMEOUT_MS, () => link.close(`no HELLO came within ${HELLO_TIMEOUT_MS / 1000} s`))
    this.strangers.set(link, cancel)
    return link
  }

  private received(link: Link, message: Message): void {
    try {
      if (link.hello === undefined) this.receivedFromStranger(link, message)
      else this.dispatch(link, link.hello, message)
    } catch (error) {
      // What cannot be read is the sender's affair; the stream stays open, as in v0.6.
      this.reject(link, `${typeName(message.type)}: ${messageOf(error)}`)
    }
  }

  private receivedFromStranger(link: Link, message: Message): void {
    if (message.type !== Message_Type.DISC_HELLO) return this.reject(link, `${typeName(message.type)} before a HELLO was accepted`)
    const { greeter } = this.options
    const { hello, refused } = greeter.judge(message.payload)
    if (link.dialled !== undefined) this.alias(link.dialled, hello.id)
    if (refused !== undefined) {
      this.quiet.say(refused.isSelf ? 'info' : 'error', `refused ${hello.id}`, refused.reason, {
        peer: hello.id,
        address: hello.endpoint.address,
        ...refused.facts,
      })
      if (refused.isSelf && link.dialled !== undefined) {
        this.dialer.forget(link.dialled)
        this.options.book.remove(link.dialled)
      }
      // So that the other side sees by itself what differs.
      if (link.dialled === undefined && !refused.isSelf) link.greet(greeter.hello())
      return link.close(refused.reason)
    }
    const admission = this.table.admit(link, hello)
    if (!admission.admitted) {
      this.options.log.debug('a link is not kept', { peer: hello.id, reason: admission.reason })
      return link.close(admission.reason)
    }
    if (link.dialled === undefined) link.greet(greeter.hello())
    this.established(link, hello, admission)
  }

  private established(link: Link, hello: Hello, { replaced, isNew }: { readonly replaced: readonly Link[]; readonly isNew: boolean }): void {
    this.strangers.get(link)?.()
    this.strangers.delete(link)
    link.establish(hello)
    const { address } = hello.endpoint
    this.options.log.info(isNew ? 'peer connected' : 'peer connected again', {
      peer: hello.id,
      address,
      type: PeerEndpoint_Type[hello.endpoint.type],
      dialled: link.dialled !== undefined,
      packed: link.packs,
    })
    if (link.dialled !== undefined) this.dialer.connected(link.dialled)
    if (address !== this.options.self.address && this.options.book.add(address)) this.dialer.add(address, 'known')
    // Messages on a former link may be lost: that is what consensus must hear.
    if (replaced.length > 0) this.announce(hello.id, false)
    for (const other of replaced) other.close(`a newer link to ${this.self} takes its place`)
    this.announce(hello.id, true)
    this.discovery.begin(link)
    // An original answers on the stream that it uses, and on no other one.
    for (const other of this.table.get(hello.id)?.links ?? []) if (other !== link) this.discovery.askNow(other)
  }

  private dispatch(link: Link, hello: Hello, message: Message): void {
    const { type, payload } = message
    if (type === Message_Type.CONSENSUS || type === Message_Type.WEFT_EPOCH) {
      const transport = type === Message_Type.CONSENSUS ? this.transport : this.epochs
      if (!this.isValidator || !transport.received(hello.id, payload)) this.reject(link, `${typeName(type)} is not expected`)
    } else if (type === Message_Type.DISC_GET_PEERS) this.discovery.asked(link)
    else if (type === Message_Type.DISC_PEERS) this.discovery.answered(link, payload)
    else if (SYNC_TYPES.has(type)) this.sync?.received(link, message)
    else if (type !== Message_Type.SYNC_BLOCK_ADDED) this.reject(link, `${typeName(type)} is not expected`)
  }

  private closed(link: Link, reason: string): void {
    this.strangers.get(link)?.()
    this.strangers.delete(link)
    this.discovery.end(link)
    const { hello, dialled } = link
    if (hello !== undefined) {
      this.sync?.closed(link)
      const wasActive = this.table.isActive(link)
      const isGone = this.table.remove(link)
      if (wasActive) this.announce(hello.id, false)
      if (isGone) this.options.log.info('peer disconnected', { peer: hello.id, reason })
      else if (wasActive) this.announce(hello.id, true)
      this.dialer.missed(hello.endpoint.address)
    }
    if (dialled !== undefined) this.dialer.lost(dialled, reason, hello !== undefined)
  }

  private lagging(link: Link, isLagging: boolean): void {
    const peer = link.hello?.id
    if (peer === undefined || !this.table.isActive(link)) return
    if (isLagging) {
      this.quiet.say('warning', `lagging ${peer}`, 'a peer does not take its consensus messages: those that waited are given up', {
        peer,
        lost: link.counters.lostMessages,
      })
    }
    this.announce(peer, !isLagging)
  }

  private announce(id: string, isUp: boolean): void {
    this.transport.changed(id, isUp)
    this.epochs.changed(id, isUp)
  }

  /** Only an original leaves open which of its streams it uses. */
  private usesLink(link: Link): void {
    if (link.hello?.weft !== undefined || this.table.isActive(link)) {
      for (const surplus of link.hello?.weft === undefined ? this.table.prefer(link) : []) surplus.close('the other stream is in use', false)
      return
    }
    const id = link.hello?.id ?? ''
    const surplus = this.table.prefer(link)
    this.announce(id, false)
    this.announce(id, true)
    for (const other of surplus) other.close('the other stream is in use', false)
  }

  private alias(address: string, id: string): void {
    // Only addresses that the dialer holds come here, and their number is bounded.
    if (this.aliases.size > 2000) this.aliases.clear()
    this.aliases.set(address, id)
  }

  private isConnected(address: string): boolean {
    const id = this.aliases.get(address)
    if (id !== undefined && this.table.get(id) !== undefined) return true
    for (const { active } of this.table.all()) if (active.hello?.endpoint.address === address) return true
    return false
  }

  private links(): Link[] {
    return [...this.table.all()].flatMap(({ links }) => links)
  }
}
