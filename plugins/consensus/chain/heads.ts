import type { Clock } from '../../../kernel/index.js'
import { type HeadNote, hex } from '../../../proto/index.js'
import type { MemberIndex } from '../engine/engine.js'
import type { HostLedger } from '../execution/execution.js'
import type { HostNotes } from '../notes.js'

/** Heights at which every host says its block hash: multiples of this. */
const ANNOUNCED_EVERY = 10n
/** Heads that are remembered of each member, and told to whoever asks. */
const REMEMBERED = 64
const TOLD = 16
const MAX_HASH_BYTES = 64
/** A member is answered at most this often. */
const ANSWER_EVERY_MS = 200
/** Own hashes that are read from the ledger because of one member: so many at once, and so many a second. */
const READ_AT_ONCE = 32
const READ_A_SECOND = 16
/** How long members that have not said their hash are waited for, where it would decide. */
const SILENT_MS = 2000

/** What enough others agree on: the block hash at a height. */
export interface AgreedHead {
  readonly height: bigint
  readonly hash: Uint8Array
  readonly members: readonly MemberIndex[]
}

/** Who has which block hash at a height; this peer is one of the members. */
export interface HeadGroup {
  /** In hex. */
  readonly hash: string
  readonly members: readonly MemberIndex[]
}

/** A height at which more members than may be faulty have another block than this peer. */
export interface SplitHead {
  readonly height: bigint
  /** The own one first. */
  readonly groups: readonly HeadGroup[]
}

export interface HeadWatchOptions {
  readonly members: number
  readonly self: MemberIndex
  /** So many others with one hash outweigh the own one; undefined while the validators may rightly have different blocks. */
  readonly quorum: () => number | undefined
  readonly ledger: Pick<HostLedger, 'info' | 'height' | 'block'>
  readonly notes: Pick<HostNotes, 'tell'>
  readonly clock: Pick<Clock, 'elapsedMs' | 'setTimer'>
  /** This peer alone, or with no more than may be faulty, has another hash than others agree on at that height. May be said again. */
  readonly differs: (head: AgreedHead) => void
  /** More members than may be faulty have other hashes, and nothing says which is right. May be said again. */
  readonly splits: () => void
  /** A member has another hash than this ledger. May be said again. */
  readonly strays: (member: MemberIndex, head: { readonly height: bigint; readonly hash: string }) => void
}

/**
 * Compares the chain with that of the other members: engines that agree on the order alone would let a chaincode that is not deterministic part the
 * validators unnoticed. Everybody says (height, hash) every 10 blocks, to Weft peers alone.
 */
export class HeadWatch {
  /** By member: hash in hex by height, the newest last. */
  private readonly notes: Map<bigint, string>[]
  private readonly own = new Map<bigint, string>()
  private readonly answeredAt: number[]
  /** By member: how many own hashes may still be read because of it, as of when. */
  private readonly reads: { left: number; atMs: number }[]
  /** Heights at which it matters what silent members have, and since when. */
  private readonly waiting = new Map<bigint, number>()

  constructor(private readonly options: HeadWatchOptions) {
    this.notes = Array.from({ length: options.members }, () => new Map<bigint, string>())
    this.answeredAt = this.notes.map(() => Number.NEGATIVE_INFINITY)
    this.reads = this.notes.map(() => ({ left: READ_AT_ONCE, atMs: options.clock.elapsedMs() }))
  }

  /** This ledger has a new head. */
  committed({ height, hash }: { readonly height: bigint; readonly hash: Uint8Array }): void {
    remember(this.own, height, hex(hash))
    if (height % ANNOUNCED_EVERY !== 0n) return
    this.tell([{ height, hash }])
    this.compare(height)
  }

  /** The own chain was replaced: what was known of it counts no more. */
  replaced(): void {
    this.own.clear()
    this.waiting.clear()
  }

  /** Asks everybody for the newest heads, and for the one of the own height: whether it is the same. */
  query(): void {
    this.options.notes.tell({ $case: 'query', value: { height: this.options.ledger.height() } })
  }

  /** The highest head, from a height on, on which enough others agree; with `quorum` of them and no less. */
  agreedFrom(lowest: bigint): AgreedHead | undefined {
    const heights = new Set(this.notes.flatMap((heads) => [...heads.keys()]))
    for (const height of [...heights].sort((left, right) => (left < right ? 1 : -1))) {
      if (height < lowest) return undefined
      const agreed = this.agreed(height)
      if (agreed) return agreed
    }
    return undefined
  }

  /** The lowest height at which more members than may be faulty are known to have another block. */
  firstSplit(): SplitHead | undefined {
    const quorum = this.options.quorum()
    if (quorum === undefined) return undefined
    const heights = new Set(this.notes.flatMap((heads) => [...heads.keys()]))
    for (const height of [...heights].sort((left, right) => (left < right ? -1 : 1))) {
      const found = this.split(height, quorum)
      if (found) return found
    }
    return undefined
  }

  /** Whether, by the newest that can be compared of each, no more members than may be faulty have another chain. */
  isSettled(): boolean {
    const quorum = this.options.quorum()
    const height = this.options.ledger.height()
    const differing = this.notes.filter((heads) => {
      const newest = [...heads.keys()].filter((told) => told <= height).reduce((highest, told) => (told > highest ? told : highest), 0n)
      return newest > 0n && heads.get(newest) !== this.ownHash(newest)
    })
    return quorum === undefined || differing.length < quorum
  }

  /** A member asks for the newest heads, and for one height. */
  asked(from: MemberIndex, height: bigint): void {
    this.answer(from, height)
  }

  /** A member says heads of its chain. */
  heard(from: MemberIndex, told: readonly HeadNote[]): void {
    const heads = this.notes[from]
    if (!heads || from === this.options.self) return
    for (const { height, hash } of told.slice(0, TOLD + 1)) {
      if (height === 0n || hash.length > MAX_HASH_BYTES) continue
      const said = hex(hash)
      // It has another chain now: what it said of the former one counts no more.
      if ((heads.get(height) ?? said) !== said) heads.clear()
      remember(heads, height, said)
      // Newer ones will come: one that says long past ones without end must not keep this peer busy.
      if (this.isAtHand(height) || this.mayRead(from)) this.compare(height)
    }
  }

  /** Whether the own hash is known, or there is none, without a look into the ledger. */
  private isAtHand(height: bigint): boolean {
    return this.own.has(height) || height >= this.options.ledger.height()
  }

  private mayRead(from: MemberIndex): boolean {
    const reads = this.reads[from]
    if (!reads) return false
    const now = this.options.clock.elapsedMs()
    reads.left = Math.min(READ_AT_ONCE, reads.left + ((now - reads.atMs) / 1000) * READ_A_SECOND)
    reads.atMs = now
    if (reads.left < 1) return false
    reads.left--
    return true
  }

  private answer(to: MemberIndex, asked: bigint): void {
    const now = this.options.clock.elapsedMs()
    if (now - (this.answeredAt[to] ?? 0) < ANSWER_EVERY_MS) return
    this.answeredAt[to] = now
    const { height } = this.options.ledger.info()
    const newest = Array.from({ length: TOLD }, (_, below) => height - BigInt(below))
    const heads = [asked, ...newest].flatMap((at): HeadNote[] => {
      const hash = at > 0n ? this.ownHash(at) : undefined
      return hash === undefined ? [] : [{ height: at, hash: Buffer.from(hash, 'hex') }]
    })
    this.tell(heads, to)
  }

  /**
   * What others say of a height at which this ledger has a block. Where no more of them differ than may be faulty, nothing follows. Else this peer is the one
   * that is wrong if it stands with no more than that and enough others agree; and if not, nobody can tell.
   */
  private compare(height: bigint): void {
    const quorum = this.options.quorum()
    if (quorum === undefined) return
    this.tellStrays(height)
    const found = this.split(height, quorum)
    if (!found) return
    const [same = 0, ...others] = found.groups.map(({ members }) => members.length)
    const most = Math.max(...others)
    const silent = this.notes.length - same - others.reduce((sum, count) => sum + count, 0)
    const isOpen = same < quorum && (same + silent >= quorum || (most < quorum && most + silent >= quorum))
    if (isOpen && !this.hasWaited(height)) return
    const agreed = same < quorum ? this.agreed(height) : undefined
    if (agreed) this.options.differs(agreed)
    else this.options.splits()
  }

  private tellStrays(height: bigint): void {
    const own = height > this.options.ledger.height() ? undefined : this.ownHash(height)
    if (own === undefined) return
    for (const [member, heads] of this.notes.entries()) {
      const hash = heads.get(height)
      if (hash !== undefined && hash !== own) this.options.strays(member, { height, hash })
    }
  }

  private hasWaited(height: bigint): boolean {
    const now = this.options.clock.elapsedMs()
    const since = this.waiting.get(height)
    if (since !== undefined) return now - since >= SILENT_MS
    remember(this.waiting, height, now)
    this.options.clock.setTimer(SILENT_MS, () => this.compare(height))
    return false
  }

  /** Who has what at a height, if as many others as `quorum` have something else than this ledger. */
  private split(height: bigint, quorum: number): SplitHead | undefined {
    const own = height > this.options.ledger.height() ? undefined : this.ownHash(height)
    if (own === undefined) return undefined
    const members = new Map<string, MemberIndex[]>([[own, [this.options.self]]])
    let differing = 0
    for (const [index, heads] of this.notes.entries()) {
      const hash = index === this.options.self ? undefined : heads.get(height)
      if (hash === undefined) continue
      members.set(hash, [...(members.get(hash) ?? []), index])
      if (hash !== own) differing++
    }
    return differing < quorum
      ? undefined
      : { height, groups: [...members].map(([hash, having]) => ({ hash, members: having.sort((left, right) => left - right) })) }
  }

  private agreed(height: bigint): AgreedHead | undefined {
    const quorum = this.options.quorum()
    if (quorum === undefined) return undefined
    const members = new Map<string, MemberIndex[]>()
    for (const [index, heads] of this.notes.entries()) {
      const hash = heads.get(height)
      if (hash !== undefined) members.set(hash, [...(members.get(hash) ?? []), index])
    }
    for (const [hash, saying] of members) {
      if (saying.length >= quorum) return { height, hash: Buffer.from(hash, 'hex'), members: saying }
    }
    return undefined
  }

  /** In hex; undefined above the head, and for a block that is not stored. */
  ownHash(height: bigint): string | undefined {
    const { ledger } = this.options
    const known = this.own.get(height)
    if (known !== undefined) return known
    const info = ledger.info()
    if (height > info.height || height === 0n) return undefined
    const hash = height === info.height ? info.currentBlockHash : ledger.block(height)?.previousBlockHash
    return hash && hex(hash)
  }

  private tell(heads: HeadNote[], to?: MemberIndex): void {
    this.options.notes.tell({ $case: 'heads', value: { heads } }, to)
  }
}

function remember<V>(heads: Map<bigint, V>, height: bigint, value: V): void {
  heads.delete(height)
  heads.set(height, value)
  if (heads.size <= REMEMBERED) return
  const [oldest] = heads.keys()
  if (oldest !== undefined) heads.delete(oldest)
}
