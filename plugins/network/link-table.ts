import type { PeerEndpoint } from '../../proto/index.js'
import type { Hello } from './hello.js'
import type { Link } from './link.js'

/** Streams of one original that may be open at a time: when both sides dial at once it uses one of two, and does not say which. */
const MAX_LINKS_OF_AN_ORIGINAL = 2

/** Everything that leads to one peer. `active` is the link on which messages to it are sent. */
export interface Neighbour {
  readonly id: string
  active: Link
  links: readonly Link[]
}

export type Admission =
  | { readonly admitted: true; readonly replaced: readonly Link[]; readonly isNew: boolean }
  | { readonly admitted: false; readonly reason: string }

export interface LinkTableOptions {
  /** `peer.id` of this peer. */
  readonly self: string
  readonly maxNeighbours: number
  /** Peers that are let in although the table is full. */
  readonly isReserved: (id: string) => boolean
  /** Whether this peer has sent its HELLO to an address and waits for the answer. */
  readonly isGreeting: (address: string) => boolean
}

/**
 * Who is connected: one link per pair. When two Weft peers dial each other at once both keep the stream that the one with the smaller id dialled,
 * so that they agree without asking. An original registers whichever stream it saw first; it tells by what it sends (spec/wire.md §11.8).
 */
export class LinkTable {
  private readonly neighbours = new Map<string, Neighbour>()

  constructor(private readonly options: LinkTableOptions) {}

  get size(): number {
    return this.neighbours.size
  }

  all(): Iterable<Neighbour> {
    return this.neighbours.values()
  }

  get(id: string): Neighbour | undefined {
    return this.neighbours.get(id)
  }

  endpoints(): PeerEndpoint[] {
    return [...this.neighbours.values()].flatMap(({ active }) => active.hello?.endpoint ?? [])
  }

  /** Decides about a link whose HELLO came. The caller closes what was replaced. */
  admit(link: Link, hello: Hello): Admission {
    const current = this.neighbours.get(hello.id)
    if (current === undefined) return this.admitNew(link, hello)
    const verdict = hello.weft === undefined || current.active.hello?.weft === undefined ? this.amongOriginals(current) : this.amongWeft(current, link, hello)
    if (typeof verdict === 'string') return { admitted: false, reason: verdict }
    const replaced = current.links.filter((other) => verdict.includes(other))
    current.links = [...current.links.filter((other) => !verdict.includes(other)), link]
    if (replaced.includes(current.active)) current.active = link
    return { admitted: true, replaced, isNew: false }
  }

  /** The other end has shown that it uses this link. Returns the links that are of no use any more, among those that this peer dialled. */
  prefer(link: Link): readonly Link[] {
    const neighbour = this.neighbourOf(link)
    if (neighbour === undefined || neighbour.links.length === 1) return []
    neighbour.active = link
    const surplus = neighbour.links.filter((other) => other !== link && other.dialled !== undefined)
    neighbour.links = neighbour.links.filter((other) => !surplus.includes(other))
    return surplus
  }

  /** Takes a closed link out. True: the neighbour is gone. */
  remove(link: Link): boolean {
    const neighbour = this.neighbourOf(link)
    if (neighbour === undefined || !neighbour.links.includes(link)) return false
    neighbour.links = neighbour.links.filter((other) => other !== link)
    const [rest] = neighbour.links
    if (rest === undefined) return this.neighbours.delete(neighbour.id)
    if (neighbour.active === link) neighbour.active = rest
    return false
  }

  isActive(link: Link): boolean {
    return this.neighbourOf(link)?.active === link
  }

  private neighbourOf({ hello }: Link): Neighbour | undefined {
    return hello && this.neighbours.get(hello.id)
  }

  private admitNew(link: Link, hello: Hello): Admission {
    const { self, maxNeighbours, isReserved, isGreeting } = this.options
    if (this.neighbours.size >= maxNeighbours && !isReserved(hello.id)) {
      return { admitted: false, reason: `this peer is connected to ${this.neighbours.size} others, as many as peer.limits.links allows` }
    }
    if (hello.weft !== undefined && link.dialled === undefined && self < hello.id && isGreeting(hello.endpoint.address)) {
      return { admitted: false, reason: `${self} has dialled ${hello.id} at the same time, and that link is kept` }
    }
    this.neighbours.set(hello.id, { id: hello.id, active: link, links: [link] })
    return { admitted: true, replaced: [], isNew: true }
  }

  /** The links that the new one replaces, or why it is refused. */
  private amongWeft(current: Neighbour, link: Link, hello: Hello): readonly Link[] | string {
    const { active } = current
    // A restarted peer knows nothing of its former links.
    if (active.hello?.weft?.session !== hello.weft?.session) return current.links
    const bothDialled = active.dialled !== undefined && link.dialled !== undefined
    if (bothDialled) return `${hello.id} is connected already, at ${active.dialled}`
    // The other end dials again because it has lost the former link.
    if (active.dialled === undefined && link.dialled === undefined) return current.links
    const isPreferred = (link.dialled === undefined) === hello.id < this.options.self
    return isPreferred ? current.links : `${hello.id} is connected already, by the link that both keep`
  }

  private amongOriginals(current: Neighbour): readonly Link[] | string {
    if (current.links.length < MAX_LINKS_OF_AN_ORIGINAL) return []
    // A fresh HELLO stands for a silent stream (spec/wire.md §11.8 d).
    const idle = current.links.filter((other) => other !== current.active)
    return idle.length > 0 ? idle : `${current.id} is connected already`
  }
}
