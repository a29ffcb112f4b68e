import { type Clock, messageOf, PeerError } from '../../../kernel/index.js'
import { Block, decode } from '../../../proto/index.js'
import { blockHash, type SyncableLedger } from '../../ledger/index.js'
import type { Link } from '../link.js'
import { BlockGroups } from './block-groups.js'
import { FutileError, LeftOutError, LiarError } from './sources.js'
import type { SyncClient } from './sync-client.js'
import { windowOf } from './windows.js'

export interface BlockFetchOptions {
  readonly ledger: Pick<SyncableLedger, 'height' | 'blockBytes' | 'putRawBlocks' | 'stateBlock' | 'deleteAllState'>
  readonly client: Pick<SyncClient, 'blocks'>
  readonly clock: Pick<Clock, 'elapsedMs'>
  /** `peer.sync.blocks.channelSize`: a request to an original covers one block more. */
  readonly channelSize: number
  readonly timeoutMs: number
  /** `statetransfer.recoverdamage` */
  readonly mayReplace: boolean
  /** A world state that was fetched beside the present one is to be given up: the present one is about to be deleted. */
  readonly stateGivesWay: () => Promise<void>
}

/**
 * A source has to send this much in so long: one that sends a block just before each time-out would hold a transfer up for hours. At first many times as much, so
 * that one which is slow is left for others; if all are, less and less.
 */
const PACE_MS = 10_000
const PACE_BLOCKS = 32
const PACE_BYTES = 1024 * 1024
const FIRST_HASTE = 16

/**
 * The blocks from a known one down to where this peer's own chain fits: newest first, each named by the one above it, so that one trusted hash
 * is the measure of all (spec/ledger.md §13.5). Keeps what it has got, also over restarts: stored blocks that fit are not fetched again.
 */
export class BlockFetch {
  private cursor: bigint
  private want: Uint8Array
  /** Down to here blocks are fetched at least, if any is missing: that of the world state. */
  private readonly floor: bigint
  private readonly groups: BlockGroups
  private haste = FIRST_HASTE
  private wasHasty = false

  constructor(
    private readonly options: BlockFetchOptions,
    private readonly top: bigint,
    hash: Uint8Array,
  ) {
    this.groups = new BlockGroups(options.ledger)
    this.cursor = top
    this.want = hash
    this.floor = options.ledger.stateBlock() ?? 0n
    this.skipStored()
  }

  /** The lowest block that is known to be of the chain. */
  get lowest(): bigint {
    return this.cursor + 1n
  }

  get isDone(): boolean {
    return this.cursor < 0n || (this.cursor < this.floor && this.fits())
  }

  /** After all sources have failed. True: one of them was left for being slow, and less is asked of them now. */
  demandLess(): boolean {
    if (!this.wasHasty) return false
    this.wasHasty = false
    this.haste /= 2
    return true
  }

  /** Fetches until done. Throws ERR_SYNC_SILENT, ERR_SYNC_ENDED, LiarError: then another neighbour may go on. */
  async from(link: Link): Promise<void> {
    const pace = this.pace()
    try {
      while (!this.isDone) {
        await this.window(link, this.endOf(windowOf(link, 'blocks', this.options.channelSize)), pace)
        // Blocks of an earlier attempt.
        this.skipStored()
      }
    } finally {
      // Whatever happened: what was found to be of the chain is kept.
      await this.groups.flush()
    }
  }

  /** Fetches the highest block alone, so that its state hash is known. Throws as `from`. */
  async topFrom(link: Link): Promise<void> {
    if (this.cursor !== this.top) return
    await this.window(link, this.top, this.pace())
    await this.groups.flush()
  }

  private async window(link: Link, end: bigint, pace: (bytes: number) => void): Promise<void> {
    const replies = this.options.client.blocks(link, this.cursor, end)
    try {
      while (this.cursor >= end && !this.isDone) {
        const { number, bytes } = await replies.next(this.options.timeoutMs)
        await this.accept(number, bytes)
        pace(bytes.length)
      }
    } finally {
      replies.fail('no more is needed')
    }
  }

  /** The lowest block of the next request: not below the floor, and not below what is stored already. */
  private endOf(window: bigint): bigint {
    const low = this.cursor >= this.floor ? this.floor : 0n
    const reach = this.cursor - window
    const lowest = reach > low ? reach : low
    if (this.stored(this.cursor) !== undefined) return lowest
    let end = this.cursor
    while (end > lowest && (end - 1n === this.floor || this.stored(end - 1n) === undefined)) end -= 1n
    return end
  }

  /** To be told of each block; throws ERR_SYNC_ENDED if they come too slowly. */
  private pace(): (bytes: number) => void {
    const { clock } = this.options
    let [sinceMs, blocks, bytes] = [clock.elapsedMs(), 0, 0]
    return (length) => {
      blocks++
      bytes += length
      if (blocks >= PACE_BLOCKS * this.haste || bytes >= PACE_BYTES * this.haste) [sinceMs, blocks, bytes] = [clock.elapsedMs(), 0, 0]
      else if (clock.elapsedMs() - sinceMs > PACE_MS) {
        this.wasHasty ||= this.haste > 1
        throw new PeerError('ERR_SYNC_ENDED', `it sends too slowly: ${blocks} blocks in ${PACE_MS / 1000} s`, { retryable: true })
      }
    }
  }

  private async accept(number: bigint, bytes: Uint8Array): Promise<void> {
    if (number < this.cursor) throw new LeftOutError(`it left out block ${this.cursor} and sent ${number}`)
    if (number > this.cursor) throw new LiarError(`it sent block ${number} instead of ${this.cursor}`)
    const { hash, previous } = read(bytes)
    if (Buffer.compare(hash, this.want) !== 0) throw new LiarError(`its block ${number} is not of the chain: its hash is another one`)
    await this.makeWay(number, hash)
    await this.groups.add({ number, bytes })
    this.cursor -= 1n
    this.want = previous
  }

  /** A stored block of another chain gives way, and with it a world state that was made of it. */
  private async makeWay(number: bigint, hash: Uint8Array): Promise<void> {
    const { ledger, mayReplace } = this.options
    const stored = this.stored(number)
    if (stored === undefined || hashOf(stored)?.equals(hash) === true) return
    if (!mayReplace) {
      throw new FutileError(`block ${number} is stored here, but it is not the one of the chain`, 'set statetransfer.recoverdamage to true to have it replaced')
    }
    const stateBlock = ledger.stateBlock()
    if (stateBlock === undefined || stateBlock < number) return
    await this.options.stateGivesWay()
    await ledger.deleteAllState()
  }

  private skipStored(): void {
    while (this.cursor >= this.floor && this.fits()) this.step()
  }

  private step(): void {
    const stored = this.stored(this.cursor)
    if (stored === undefined) return
    this.want = decode(Block, stored).previousBlockHash.slice()
    this.cursor -= 1n
  }

  /** Whether the stored block at the cursor is the one that the block above names. Nothing is below block 0. */
  private fits(): boolean {
    if (this.cursor < 0n) return true
    const stored = this.stored(this.cursor)
    return stored !== undefined && hashOf(stored)?.equals(this.want) === true
  }

  private stored(number: bigint): Uint8Array | undefined {
    const { ledger } = this.options
    return number < ledger.height() ? ledger.blockBytes(number) : undefined
  }
}

function read(bytes: Uint8Array): { readonly hash: Uint8Array; readonly previous: Uint8Array } {
  try {
    return { hash: blockHash(bytes), previous: decode(Block, bytes).previousBlockHash.slice() }
  } catch (error) {
    throw new LiarError(`it sent something that is no block: ${messageOf(error)}`)
  }
}

/** Undefined for a stored block that cannot be read any more: damaged, so to be replaced. */
function hashOf(bytes: Uint8Array): Buffer | undefined {
  try {
    return Buffer.from(blockHash(bytes))
  } catch {
    return undefined
  }
}
