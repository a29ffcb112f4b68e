import type { Codec, EngineHost } from 'weft/consensus'
import { type Block, compare, type Reference } from './block.js'

/** Delivered blocks that are kept in memory for members who missed them. */
const MAX_KEPT = 128
const MAX_KEPT_BYTES = 16 * 1024 * 1024
/** Beyond so many undelivered blocks those that nothing known leads to are dropped. */
const MAX_BLOCKS = 256
const PREFIX = 'block '

/** Of a block's requests, in bytes. */
const sizeOf = ({ requests }: Block): number => requests.reduce((size, { bytes }) => size + bytes.length, 0)

/** The blocks that are not delivered, on disk too, and some of those that are. */
export class Tree {
  readonly #blocks = new Map<string, Block>()
  readonly #kept = new Map<string, Block>()
  #keptBytes = 0
  /** To be deleted with the next write: a delivery is not worth one of its own. */
  readonly #garbage: string[] = []

  constructor(
    private readonly host: EngineHost,
    /** The last block that is decided. */
    public decided: Reference,
    private readonly blocks: Codec<Block>,
    restored: ReadonlyMap<string, Uint8Array>,
  ) {
    for (const [key, bytes] of restored) {
      const block = key.startsWith(PREFIX) ? blocks.decode(bytes) : undefined
      if (block) this.#blocks.set(block.id, block)
    }
    this.prune(decided)
  }

  get(id: string): Block | undefined {
    return this.#blocks.get(id) ?? this.#kept.get(id)
  }

  /** Stores a block. If there are too many, those go that are on the way to none of `wanted`. */
  add(block: Block, wanted: readonly Reference[]): void {
    if (this.get(block.id)) return
    if (this.#blocks.size >= MAX_BLOCKS) {
      const ways = new Set(wanted.flatMap((tip) => this.branch(tip).blocks.map(({ id }) => id)))
      this.#remove((other) => compare(other, this.decided) > 0 && !ways.has(other.id))
    }
    this.#blocks.set(block.id, block)
    for (const id of this.#garbage.splice(0)) this.host.delete(PREFIX + id)
    this.host.put(PREFIX + block.id, this.blocks.encode(block))
  }

  /**
   * The way from a block back to the last decided one: blocks, the newest first, without the decided one; what is `missing` was named and is not here.
   * `isJoined`: it ends in the decided block.
   */
  branch(tip: Reference) {
    const blocks: Block[] = []
    let at = tip
    while (compare(at, this.decided) > 0) {
      const block = this.get(at.id)
      if (!block) return { blocks, missing: at, isJoined: false }
      blocks.push(block)
      at = block.parent
    }
    return { blocks, missing: undefined, isJoined: at.id === this.decided.id }
  }

  /** The ledger has it: it and what led to it is kept for others for a while, and what it overtook goes. */
  delivered(block: Block): void {
    const way: Block[] = []
    for (let at: Block | undefined = block; at; at = this.#blocks.get(at.parent.id)) way.push(at)
    for (const passed of way.reverse()) {
      this.#kept.set(passed.id, passed)
      this.#keptBytes += sizeOf(passed)
    }
    this.prune(block)
    for (const [id, oldest] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && this.#keptBytes <= MAX_KEPT_BYTES) break
      this.#kept.delete(id)
      this.#keptBytes -= sizeOf(oldest)
    }
  }

  /** Drops what is not after a rank. */
  prune(upTo: Reference): void {
    this.#remove((block) => compare(block, upTo) <= 0)
  }

  #remove(isWaste: (block: Block) => boolean): void {
    for (const block of this.#blocks.values()) {
      if (!isWaste(block)) continue
      this.#blocks.delete(block.id)
      this.#garbage.push(block.id)
    }
  }
}
