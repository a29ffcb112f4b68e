import type { Clock } from '../../kernel/index.js'
import type { HeadNote } from '../../proto/index.js'
import type { MemberIndex } from './engine.js'
import type { HostLedger } from './execution.js'
import type { HostNotes } from './notes.js'

/** Heights at which every host says its block hash: multiples of this. */
const ANNOUNCED_EVERY = 10n
/** Heads that are remembered of each member, and told to whoever asks. */
const REMEMBERED = 64
const TOLD = 16
const MAX_HASH_BYTES = 64
/** A member is answered at most this often. */
const ANSWER_EVERY_MS = 200

/** What enough others agree on: the block hash at a height. */
export interface AgreedHead {
  readonly height: bigint
  readonly hash: Uint8Array
  readonly members: readonly MemberIndex[]
}

export interface HeadWatchOptions {
  readonly members: number
  readonly self: MemberIndex
  /** So many others with one hash outweigh the own one; undefined while the validators may rightly have different blocks. */
  readonly quorum: () => number | undefined
  readonly ledger: Pick<HostLedger, 'info' | 'height' | 'block'>
  readonly notes: Pick<HostNotes, 'tell'>
  readonly clock: Pick<Clock, 'elapsedMs'>
  /** Others agree on another hash than this ledger has at that height. May be said again. */
  readonly differs: (head: AgreedHead) => void
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

  constructor(private readonly options: HeadWatchOptions) {
    this.notes = Array.from({ length: options.members }, () => new Map<bigint, string>())
    this.answeredAt = this.notes.map(() => Number.NEGATIVE_INFINITY)
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

  /** A member asks for the newest heads, and for one height. */
  asked(from: MemberIndex, height: bigint): void {
    this.answer(from, height)
  }

  /** A member says heads of its chain. */
  heard(from: MemberIndex, said: readonly HeadNote[]): void {
    const heads = this.notes[from]
    if (!heads || from === this.options.self) return
    for (const { height, hash } of said.slice(0, TOLD + 1)) {
      if (height === 0n || hash.length > MAX_HASH_BYTES) continue
      remember(heads, height, hex(hash))
      this.compare(height)
    }
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

  private compare(height: bigint): void {
    const agreed = height > this.options.ledger.height() ? undefined : this.agreed(height)
    if (agreed && this.ownHash(height) !== hex(agreed.hash)) this.options.differs(agreed)
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

function remember(heads: Map<bigint, string>, height: bigint, hash: string): void {
  heads.delete(height)
  heads.set(height, hash)
  if (heads.size <= REMEMBERED) return
  const [oldest] = heads.keys()
  if (oldest !== undefined) heads.delete(oldest)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
