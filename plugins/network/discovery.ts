import type { Clock } from '../../kernel/index.js'
import { decode, encode, Message_Type, type PeerEndpoint, PeersMessage } from '../../proto/index.js'
import { isAddress } from './address-book.js'
import type { Link } from './link.js'

/** Longer lists are not even read; it is some thousand peers. */
const MAX_PEERS_BYTES = 256 * 1024
/** Of one list so many addresses are tried. */
const MAX_NEW_ADDRESSES = 64
const ANSWERS_PER_SECOND = 10
const ANSWERS_AT_ONCE = 20
/** Periods without a word after which a neighbour counts as gone: one that answers at all says something in each. */
const SILENT_PERIODS = 4

export interface DiscoveryOptions {
  readonly clock: Clock
  readonly self: PeerEndpoint
  readonly periodMs: number
  /** Everybody connected, the asker too. */
  readonly endpoints: () => readonly PeerEndpoint[]
  readonly isKnown: (id: string) => boolean
  /** A peer that is not connected. */
  readonly found: (id: string, address: string) => void
  readonly rejected: (link: Link, why: string) => void
  /** The neighbour has shown that it uses this link. */
  readonly usesLink: (link: Link) => void
}

interface Conversation {
  cancel: () => void
  askedMs: number | undefined
  roundTripMs: number
  tickMs: number
  silentPeriods: number
  answers: number
  answersMs: number
}

/** Asks every neighbour for the peers that it knows, and answers the same question (spec/wire.md §11.3). Also notices who says nothing any more. */
export class Discovery {
  private readonly conversations = new Map<Link, Conversation>()

  constructor(private readonly options: DiscoveryOptions) {}

  /** Asks at once, then every period: an original waits for the first period to pass, which costs its network seconds. */
  begin(link: Link): void {
    const now = this.options.clock.elapsedMs()
    const conversation: Conversation = {
      cancel: () => undefined,
      askedMs: undefined,
      roundTripMs: 0,
      tickMs: now,
      silentPeriods: 0,
      answers: ANSWERS_AT_ONCE,
      answersMs: now,
    }
    this.conversations.set(link, conversation)
    this.ask(link, conversation)
    this.schedule(link, conversation)
  }

  end(link: Link): void {
    this.conversations.get(link)?.cancel()
    this.conversations.delete(link)
  }

  /** Asks out of turn. */
  askNow(link: Link): void {
    const conversation = this.conversations.get(link)
    if (conversation !== undefined) this.ask(link, conversation)
  }

  /** Of the last answer; 0: none yet. */
  roundTripMs(link: Link): number {
    return this.conversations.get(link)?.roundTripMs ?? 0
  }

  /** DISC_GET_PEERS: answered, but not without bound. */
  asked(link: Link): void {
    const conversation = this.conversations.get(link)
    if (conversation === undefined) return
    this.options.usesLink(link)
    const now = this.options.clock.elapsedMs()
    conversation.answers = Math.min(ANSWERS_AT_ONCE, conversation.answers + ((now - conversation.answersMs) / 1000) * ANSWERS_PER_SECOND)
    conversation.answersMs = now
    if (conversation.answers < 1) return this.options.rejected(link, 'it asks for peers too often')
    conversation.answers--
    link.send('control', Message_Type.DISC_PEERS, encode(PeersMessage, { peers: [...this.options.endpoints()] }))
  }

  /** DISC_PEERS: only the answer to a question counts. Throws WireError. */
  answered(link: Link, payload: Uint8Array): void {
    const { clock, self, isKnown, found, rejected, usesLink } = this.options
    const conversation = this.conversations.get(link)
    if (conversation?.askedMs === undefined) return rejected(link, 'a list of peers that nobody asked for')
    conversation.roundTripMs = clock.elapsedMs() - conversation.askedMs
    conversation.askedMs = undefined
    usesLink(link)
    if (payload.length > MAX_PEERS_BYTES) return rejected(link, `a list of peers of ${payload.length} bytes, more than ${MAX_PEERS_BYTES}`)
    let news = 0
    for (const { ID, address } of decode(PeersMessage, payload).peers) {
      const id = ID?.name ?? ''
      if (id === '' || id === self.ID?.name || address === self.address || isKnown(id) || !isAddress(address)) continue
      news++
      if (news > MAX_NEW_ADDRESSES) return rejected(link, `a list of more than ${MAX_NEW_ADDRESSES} unknown peers; the others are left out`)
      found(id, address)
    }
  }

  private ask(link: Link, conversation: Conversation): void {
    if (link.send('control', Message_Type.DISC_GET_PEERS)) conversation.askedMs ??= this.options.clock.elapsedMs()
  }

  private schedule(link: Link, conversation: Conversation): void {
    conversation.cancel = this.options.clock.setTimer(this.options.periodMs, () => this.tick(link, conversation))
  }

  private tick(link: Link, conversation: Conversation): void {
    const { clock, periodMs } = this.options
    const now = clock.elapsedMs()
    // If this process itself was stopped for a while, what the neighbour said waits to be read.
    const wasAway = now - conversation.tickMs > 2 * periodMs + 1000
    conversation.silentPeriods = link.heardMs >= conversation.tickMs || wasAway ? 0 : conversation.silentPeriods + 1
    conversation.tickMs = now
    if (conversation.silentPeriods >= SILENT_PERIODS) {
      link.close(`nothing was heard for ${SILENT_PERIODS} periods of peer.discovery.period`, false)
      return
    }
    this.ask(link, conversation)
    this.schedule(link, conversation)
  }
}
