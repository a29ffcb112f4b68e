import type { MemberIndex } from '../../plugins/consensus/index.js'

/**
 * One running instance of a member: 0 to members - 1 are the members themselves, from there on come the second instances of twins.
 * Members see only member indexes; which instance they reach is decided by the links.
 */
export type Endpoint = number

/** The state of a pair of endpoints. */
export interface Pair {
  up: boolean
  /** Counts breaks: what was sent before a break is lost with it. */
  generation: number
  partitioned: boolean
  /** How many faults keep it broken now. */
  broken: number
  /** The moment until which messages in either direction are on their way (first in, first out per sender). */
  readonly busyUntilMs: [number, number]
}

/** Who is who, and which instance of a twin each member reaches. */
export class LinkTable {
  readonly endpoints: number
  readonly #pairs: Pair[][]
  readonly #twinOf = new Map<MemberIndex, Endpoint>()
  readonly #memberOf: MemberIndex[]
  /** By member: the twins whose second instance it reaches. */
  readonly #reachesSecond: Set<MemberIndex>[]

  constructor(members: number, twins: readonly MemberIndex[]) {
    this.endpoints = members + twins.length
    this.#memberOf = [...Array.from({ length: members }, (_, index) => index), ...twins]
    twins.forEach((member, offset) => this.#twinOf.set(member, members + offset))
    this.#reachesSecond = Array.from({ length: members }, () => new Set<MemberIndex>())
    this.#pairs = Array.from({ length: this.endpoints }, (_, a) =>
      Array.from({ length: a }, () => ({ up: false, generation: 0, partitioned: false, broken: 0, busyUntilMs: [0, 0] })),
    )
  }

  /** The identity under which an endpoint is seen. */
  memberOf(endpoint: Endpoint): MemberIndex {
    return this.#memberOf[endpoint] ?? endpoint
  }

  pair(a: Endpoint, b: Endpoint): Pair | undefined {
    return this.#pairs[Math.max(a, b)]?.[Math.min(a, b)]
  }

  forEachPair(visit: (a: Endpoint, b: Endpoint, pair: Pair) => void): void {
    this.#pairs.forEach((row, a) => row.forEach((pair, b) => visit(a, b, pair)))
  }

  /** The endpoint that `from` reaches under the identity `to`. */
  route(from: Endpoint, to: MemberIndex): Endpoint {
    if (this.#twinOf.size === 0) return to
    const second = this.#twinOf.get(to)
    if (second === undefined) return to
    const self = this.memberOf(from)
    // Instances of two twins meet their like: first with first, second with second.
    const reachesSecond = this.#twinOf.has(self) ? from !== self : this.#reachesSecond[self]?.has(to) === true
    return reachesSecond ? second : to
  }

  isRouted(a: Endpoint, b: Endpoint): boolean {
    return this.memberOf(a) !== this.memberOf(b) && this.route(a, this.memberOf(b)) === b && this.route(b, this.memberOf(a)) === a
  }

  /** From now on `member` reaches the first or the second instance of `twin`. */
  turn(member: MemberIndex, twin: MemberIndex, toSecond: boolean): void {
    const second = this.#reachesSecond[member]
    if (toSecond) second?.add(twin)
    else second?.delete(twin)
  }
}
