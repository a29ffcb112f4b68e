import type { TransferTarget } from '../../plugins/consensus/index.js'
import type { ModelBlock } from './model-chain.js'
import type { VirtualTime } from './virtual-clock.js'

const LOOK_AROUND_MS = 1000
/** The first look at which nothing has moved only asks; so many more have to be told of others that are further. */
const LOOKS_BEFORE_CATCHING_UP = 3

export interface ModelLookoutOptions {
  /** So many others have to agree. */
  readonly quorum: number
  readonly self: number
  readonly time: VirtualTime
  readonly blocks: () => readonly ModelBlock[]
  readonly isOver: () => boolean
  /** The engine works, and has no delivery under way. */
  readonly isIdle: () => boolean
  /** The chains of members within reach, by member. */
  readonly chains: () => readonly (readonly ModelBlock[] | undefined)[]
  readonly behind: (target: TransferTarget) => void
}

/** How hosts help an engine that stays behind: if for three seconds nothing moves while enough others have more, it takes their chain and begins anew. */
export class ModelLookout {
  #lookedAt = -1
  #looksBehind = -1

  constructor(private readonly options: ModelLookoutOptions) {}

  look(): void {
    const { time, isOver, blocks, isIdle, behind } = this.options
    time.schedule(LOOK_AROUND_MS, () => {
      if (isOver()) return
      const height = blocks().length
      const isStill = height === this.#lookedAt && isIdle()
      this.#lookedAt = height
      const target = isStill ? this.agreed() : undefined
      this.#looksBehind = target ? this.#looksBehind + 1 : -1
      if (target && this.#looksBehind >= LOOKS_BEFORE_CATCHING_UP) {
        this.#looksBehind = -1
        behind(target)
      }
      this.look()
    })
  }

  /** The highest head above the own one that enough others have. */
  agreed(): TransferTarget | undefined {
    const { quorum, self, blocks, chains } = this.options
    const own = blocks().length
    const others = chains().flatMap((chain, member) => (member !== self && chain && chain.length > own ? [{ member, chain }] : []))
    for (const { chain } of others.toSorted((left, right) => right.chain.length - left.chain.length)) {
      const head = chain.at(-1)
      if (!head) continue
      const members = others.flatMap((other) => (other.chain[chain.length - 1] === head ? [other.member] : []))
      if (members.length >= quorum) return { height: head.head.height, hash: head.head.hash, members }
    }
    return undefined
  }
}
