import { type EngineFactory, leaderIn, type MemberIndex, type TransferResult, viewIn } from '../../plugins/consensus/index.js'
import type { Violation } from './failures.js'

/** Counts what happens, so that it can be said what came before what. */
type Moment = number

/** A client's request, from the moment at which it was given. */
interface Given {
  readonly door: MemberIndex
  readonly since: Moment
  /** Given again, here or elsewhere: whoever has the other copy may be first. */
  isTwice: boolean
  txid: string
  /** Among the accepted ones of its door; -1: it is not accepted. */
  place: number
  /** Undefined: it is in no block. */
  committed: Place | undefined
}

/** Where a request is in the chain, and how its door stood then. */
interface Place {
  readonly block: number
  readonly epoch: bigint
  /** Who led; undefined: nobody could have taken the place of whoever did. */
  readonly leader: MemberIndex | undefined
  readonly view: string
  /** When the door began the engine of that epoch. */
  readonly begunAt: Moment
  /** Since then nothing has disturbed the order of that door. */
  readonly calmSince: Moment
}

/** A pair that is in the chain the wrong way round, if nobody says afterwards that another led. */
interface Suspicion {
  readonly first: Given
  readonly second: Given
  readonly place: Place
}

/** What is known of a member. */
interface Standing {
  /** Its accepted requests, by place. */
  readonly accepted: Given[]
  /** The last of them that is in a block; -1: none. */
  highest: number
  /** When it began, crashed, lost or got a link, or took blocks from others, the last time; or had caught up after that. */
  shakenAt: Moment
  isCatchingUp: boolean
  /** Blocks that it has announced. */
  blocks: number
  /** Of the engine that runs. */
  epoch: bigint
  begunAt: Moment
  /** An engine of this epoch is about to be made, which is not one on trial. */
  expected: bigint | undefined
  /** Its engine bears no fault: nobody takes the place of whoever orders. */
  isFixed: boolean
  /** Of the chain that the engine knows. */
  height: bigint
  view: number | string | undefined
  leader: number | string | undefined
  hasSpoken: boolean
}

const NEVER: Moment = Number.POSITIVE_INFINITY

/**
 * The order at one door: of two requests that are given one after the other to one validator, and both accepted, the first is in the chain before the second. It holds across any number of swaps, and within
 * an epoch as long as the same member leads in the same view, by what the engines say of themselves (`status`), and nothing happens to the door and to the leader: no start, no crash, no link that breaks or
 * comes up, no blocks taken from others; after that they first have to catch up. Where an engine bears no fault, and so has no second leader, it need not say who leads, and nothing may happen to anybody.
 * Of requests that are given twice, in networks with liars, on links that break their promises, and of an engine that may change its leader and does not say who it is, nothing is expected.
 */
export class DoorOrder {
  /** How many requests were held to their place behind the one that was given before. */
  held = 0
  readonly #standings: readonly Standing[]
  readonly #given = new Map<string, Given>()
  /** By epoch: when a member said last that view or leader are others. */
  readonly #changedAt = new Map<bigint, Moment>()
  readonly #ids: readonly string[]
  #suspicions: readonly Suspicion[] = []
  /** Blocks of the longest chain. */
  #blocks = 0
  #moment: Moment = 0
  #isBound = true

  constructor(
    members: number,
    private readonly wrong: (violation: Violation) => void,
  ) {
    this.#ids = Array.from({ length: members }, (_, index) => `vp${index}`)
    this.#standings = this.#ids.map(() => ({
      accepted: [],
      highest: -1,
      shakenAt: 0,
      isCatchingUp: false,
      blocks: 0,
      epoch: -1n,
      begunAt: NEVER,
      expected: undefined,
      isFixed: false,
      height: 0n,
      view: undefined,
      leader: undefined,
      hasSpoken: false,
    }))
  }

  /** Messages may be lost, doubled or overtaken from now on, or be other ones than were sent: nothing is expected any more. */
  release(): void {
    this.#isBound = false
  }

  /** A client gives a request to a member. */
  given(door: MemberIndex, content: string): void {
    const before = this.#given.get(content)
    if (before) before.isTwice = true
    else this.#given.set(content, { door, since: this.#next(), isTwice: false, txid: '', place: -1, committed: undefined })
  }

  /** The client was told that it is accepted. */
  accepted(door: MemberIndex, content: string, txid: string): void {
    const given = this.#given.get(content)
    const standing = this.#standings[door]
    if (!given || !standing || given.isTwice || given.place >= 0) return
    given.txid = txid
    given.place = standing.accepted.push(given) - 1
  }

  /** It is in a block, by the first member that has that; blocks and what is in them come in order. */
  committed(content: string, block: number, epoch: bigint): void {
    const given = this.#given.get(content)
    const standing = given && this.#standings[given.door]
    if (!standing || given.committed || given.place < 0) return
    given.committed = this.#placeOf(standing, block, epoch)
    const before = standing.accepted[given.place - 1]
    if (before && this.#isHeld(before, given)) this.held += 1
    if (given.place > standing.highest) standing.highest = given.place
    else this.#overtaken(given, standing)
  }

  /** Something happened to a member that may cost it messages, or what its engine knew. */
  shaken(member: MemberIndex): void {
    const standing = this.#standings[member]
    if (!standing) return
    standing.shakenAt = this.#next()
    standing.isCatchingUp = standing.blocks < this.#blocks
  }

  /** A member announced a block, and has so many now. */
  grew(member: MemberIndex, blocks: number): void {
    if (this.#suspicions.length > 0) this.#judge((suspicion) => this.#isToldOf(suspicion))
    if (blocks > this.#blocks) this.#blocks = blocks
    const standing = this.#standings[member]
    if (!standing) return
    standing.blocks = blocks
    if (!standing.isCatchingUp || blocks < this.#blocks) return
    standing.isCatchingUp = false
    standing.shakenAt = this.#next()
  }

  /** A member begins an instance of the epoch's engine on a chain of that height: the first that it has, or one that goes on from records. */
  begins(member: MemberIndex, epoch: bigint, height: number): void {
    const standing = this.#standings[member]
    if (!standing) return
    standing.expected = epoch
    standing.height = BigInt(height)
    standing.hasSpoken = false
    standing.view = standing.leader = undefined
    if (epoch === standing.epoch) return this.shaken(member)
    standing.epoch = epoch
    standing.begunAt = this.#next()
  }

  /** A member makes an instance of an engine. Returns whether it is the one of the chain's epoch that it was about to begin. */
  made(member: MemberIndex, epoch: bigint, engine: Pick<EngineFactory, 'tolerates'>): boolean {
    const standing = this.#standings[member]
    if (standing?.expected !== epoch) return false
    standing.expected = undefined
    const { crashed, byzantine } = engine.tolerates(this.#standings.length)
    standing.isFixed = crashed === 0 && byzantine === 0
    return true
  }

  /** What a member's engine was told: a block of its own. */
  delivered(member: MemberIndex, number: bigint): void {
    const standing = this.#standings[member]
    if (standing) standing.height = number + 1n
  }

  /** What a member's engine was told: a transfer has ended. One to the own head costs nothing: the host gives it its requests again, in order. */
  transferred(member: MemberIndex, result: TransferResult): void {
    const standing = this.#standings[member]
    if (!standing) return
    if (!result.reached || result.head.height !== standing.height) this.shaken(member)
    if (result.reached) standing.height = result.head.height
  }

  /** What a member's engine says of itself. */
  stated(member: MemberIndex, epoch: bigint, shown: Readonly<Record<string, unknown>>): void {
    const standing = this.#standings[member]
    if (standing?.epoch !== epoch) return
    const view = viewIn(shown)
    const leader = leaderIn(shown)
    if (view === standing.view && leader === standing.leader && standing.hasSpoken) return
    if (standing.hasSpoken) this.#changedAt.set(epoch, this.#next())
    standing.view = view
    standing.leader = leader
    standing.hasSpoken = true
  }

  /** The run is over: nobody will say more. */
  end(): void {
    this.#judge(() => true)
  }

  #next(): Moment {
    this.#moment += 1
    return this.#moment
  }

  #placeOf(door: Standing, block: number, epoch: bigint): Place {
    const { view, leader: said, begunAt } = door
    const leader = typeof said === 'number' ? said : this.#ids.findIndex((id) => id === said)
    const isAlone = door.isFixed && said === undefined
    const calmSince = this.#isBound && door.epoch === epoch ? this.#calmSince([door, ...(isAlone ? this.#standings : [this.#standings[leader]])], epoch) : NEVER
    return { block, epoch, leader: isAlone ? undefined : leader, view: view === undefined ? '' : ` in view ${String(view)}`, begunAt, calmSince }
  }

  /** Since when nothing has happened to these members, and they agree on who leads. */
  #calmSince(concerned: readonly (Standing | undefined)[], epoch: bigint): Moment {
    const [door] = concerned
    let since = this.#changedAt.get(epoch) ?? 0
    for (const each of concerned) {
      const isAlike = each?.epoch === epoch && each.view === door?.view && each.leader === door?.leader && !each.isCatchingUp
      if (!isAlike) return NEVER
      since = Math.max(since, each.shakenAt)
    }
    return since
  }

  /** Whether of two requests of a door the first has to be in the chain before the second, which is in it. */
  #isHeld(first: Given, second: Given): boolean {
    const { committed } = second
    return committed !== undefined && !first.isTwice && !second.isTwice && committed.calmSince < Math.max(first.since, committed.begunAt)
  }

  /** Some that were given after it are in the chain before it. */
  #overtaken(first: Given, { accepted, highest }: Standing): void {
    for (let at = first.place + 1; at <= highest; at += 1) {
      const second = accepted[at]
      const place = second?.committed
      if (!place || !this.#isHeld(first, second)) continue
      this.#suspicions = [...this.#suspicions, { first, second, place }]
      return
    }
  }

  /** Whether door and leader have been told of both blocks, and so had the occasion to say that view or leader are others by now. */
  #isToldOf({ first: { door, committed }, place: { leader } }: Suspicion): boolean {
    return [door, leader ?? door].every((member) => (this.#standings[member]?.height ?? 0n) > (committed?.block ?? 0))
  }

  #judge(isRipe: (suspicion: Suspicion) => boolean): void {
    const ripe = this.#suspicions.filter(isRipe)
    this.#suspicions = this.#suspicions.filter((suspicion) => !ripe.includes(suspicion))
    for (const { first, second, place } of ripe) {
      const changedAt = this.#changedAt.get(place.epoch) ?? 0
      if (changedAt < Math.max(first.since, place.begunAt)) this.wrong({ kind: 'safety', statement: statementOf(first, second, place) })
    }
  }
}

function statementOf({ door, txid, committed }: Given, second: Given, { view, leader, ...place }: Place): string {
  const where = (at: Pick<Place, 'block' | 'epoch'> | undefined): string => `block ${at?.block} of epoch ${at?.epoch}`
  return (
    `the order at vp${door} is not kept: it accepted ${txid} before ${second.txid}, and the chain has ${second.txid} first, in ${where(place)}, and then ${txid}, in ${where(committed)}; ` +
    (leader === undefined
      ? `nobody else could lead in epoch ${place.epoch}, and nothing disturbed anybody`
      : `vp${leader} led${view} of epoch ${place.epoch} all the while, and nothing disturbed it or vp${door}`)
  )
}
