import type { Clock, Logger } from '../../../kernel/index.js'
import type { ConsensusCounters } from '../counters.js'
import type { Member, MemberIndex } from '../engine/engine.js'
import type { HeadGroup, HeadWatch, SplitHead } from './heads.js'

/** Others are asked again so often, and what they say is looked at after this time. */
const ASK_EVERY_MS = 1000
/** A validator that has other blocks is told of at most this often. */
const TELL_EVERY_MS = 60_000
const SHOWN_HEX = 16
const SHOWN_GROUPS = 8

export interface DisputeOptions {
  readonly members: readonly Member[]
  readonly clock: Pick<Clock, 'elapsedMs' | 'setTimer'>
  readonly log: Logger
  readonly counters: ConsensusCounters | undefined
  readonly watch: () => HeadWatch | undefined
  /** The validators have one chain again. */
  readonly settled: () => void
  readonly isOver: () => boolean
}

/**
 * What this validator knows of others whose blocks differ: says who has what, and holds the reason why nothing is accepted while more differ than may be
 * faulty, so that nobody can tell which chain is right. Asks again and again, and ends when the operators have brought them to one chain.
 */
export class Dispute {
  private split: string | undefined
  private readonly toldAt = new Map<MemberIndex, number>()

  constructor(private readonly options: DisputeOptions) {}

  /** What the validators disagree about; undefined: nothing that stops them. */
  get reason(): string | undefined {
    return this.split
  }

  /** More validators than may be faulty have other blocks. */
  begin(): void {
    if (this.split !== undefined) return
    const found = this.options.watch()?.firstSplit()
    if (!found) return
    this.split = this.wordsOf(found)
    const { counters } = this.options
    if (counters) counters.divergences++
    this.look(true)
  }

  /** A validator has another block than this one. */
  strays(member: MemberIndex, { height, hash }: { readonly height: bigint; readonly hash: string }): void {
    const { clock, log, members } = this.options
    const now = clock.elapsedMs()
    if (this.split !== undefined || now - (this.toldAt.get(member) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return
    this.toldAt.set(member, now)
    log.warning('a validator has another block than this one', {
      validator: members[member]?.id ?? member,
      block: height - 1n,
      theirs: short(hash),
      ours: short(this.options.watch()?.ownHash(height) ?? ''),
    })
  }

  /** The first answers tell where it began: then it is said, once. */
  private look(isFirst: boolean): void {
    this.options.watch()?.query()
    this.options.clock.setTimer(ASK_EVERY_MS, () => {
      const watch = this.options.watch()
      if (this.options.isOver() || !watch) return
      const found = watch.firstSplit()
      // Answers that came late may tell of an earlier block.
      if (found) this.split = this.wordsOf(found)
      if (isFirst) this.options.log.critical(`${this.split ?? ''}. ${TODO}`)
      if (!watch.isSettled()) return this.look(false)
      this.split = undefined
      this.options.log.notice('the validators have one chain again')
      this.options.settled()
    })
  }

  private wordsOf({ height, groups: [own, ...others] }: SplitHead): string {
    const ids = ({ members }: HeadGroup): string => members.map((member) => this.options.members[member]?.id ?? member).join(', ')
    const shown = others.slice(0, SHOWN_GROUPS).map((group) => `${short(group.hash)} at ${ids(group)}`)
    const more = others.length > SHOWN_GROUPS ? [`${others.length - SHOWN_GROUPS} others elsewhere`] : []
    const here = own ? [`${short(own.hash)} at ${ids(own)}`] : []
    return `the validators disagree about block ${height - 1n}: its hash is ${[...here, ...shown, ...more].join('; ')}`
  }
}

const TODO =
  'More of them differ than may be faulty, so that no chain is the right one, and nothing is accepted any more. Look for a chaincode that is not deterministic in that block, and bring the validators to one chain: docs/guides/runbook.md'

function short(hash: string): string {
  return hash.slice(0, SHOWN_HEX)
}
