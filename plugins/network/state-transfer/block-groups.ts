import type { RawBlock, SyncableLedger } from '../../ledger/index.js'

/** Blocks that are written together: until one of these is reached. */
const MAX_BLOCKS = 64
const MAX_BYTES = 1024 * 1024

/**
 * Writes blocks in groups, each in one atomic write, while the next group is collected: at most two are in memory. A group is written when it is full and
 * when {@link flush} is called; until then its blocks are lost if the peer is killed, and fetched again.
 */
export class BlockGroups {
  private collected: RawBlock[] = []
  private bytes = 0
  private writing: Promise<void> = Promise.resolve()

  constructor(private readonly ledger: Pick<SyncableLedger, 'putRawBlocks'>) {}

  /** Throws what an earlier group could not be written for. */
  async add(block: RawBlock): Promise<void> {
    this.collected.push(block)
    this.bytes += block.bytes.length
    if (this.collected.length >= MAX_BLOCKS || this.bytes >= MAX_BYTES) await this.begin()
  }

  /** Resolves when everything that was added is stored. */
  async flush(): Promise<void> {
    await this.begin()
    await this.writing
  }

  private async begin(): Promise<void> {
    const group = this.collected
    this.collected = []
    this.bytes = 0
    await this.writing
    this.writing = this.ledger.putRawBlocks(group)
    // Whoever adds the next group, or flushes, has the failure.
    this.writing.catch(() => undefined)
  }
}
