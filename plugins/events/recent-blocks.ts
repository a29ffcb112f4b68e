import type { Height } from '../ledger/index.js'
import type { BlockEvents } from './block-events.js'

const MAX_BLOCKS = 256
const MAX_BYTES = 8 * 1024 * 1024

/** The latest blocks with what only their execution could tell, rejections, for consumers that come back soon. Bounded; the newest is always kept. */
export class RecentBlocks {
  private readonly blocks = new Map<Height, BlockEvents>()
  private bytes = 0

  add(events: BlockEvents): void {
    this.delete(events.number)
    this.blocks.set(events.number, events)
    this.bytes += events.size
    for (const [number] of this.blocks) {
      if (this.blocks.size === 1 || (this.blocks.size <= MAX_BLOCKS && this.bytes <= MAX_BYTES)) break
      this.delete(number)
    }
  }

  get(number: Height): BlockEvents | undefined {
    return this.blocks.get(number)
  }

  private delete(number: Height): void {
    const known = this.blocks.get(number)
    if (known === undefined) return
    this.blocks.delete(number)
    this.bytes -= known.size
  }
}
