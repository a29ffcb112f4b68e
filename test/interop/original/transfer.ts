import { Block, decode } from '../../../proto/index.js'
import type { Chat } from './chat.js'
import { blockHashOf, decodeChanges, type OriginalLedger } from './ledger.js'
import { Panic, type Surroundings } from './surroundings.js'

export interface TransferOptions {
  readonly ledger: OriginalLedger
  readonly world: Surroundings
  readonly maxDeltas: number
  readonly blocksChannel: number
  readonly deltasChannel: number
  /** Registered handlers of these names, or of all validators. */
  readonly chats: (names: readonly string[] | undefined) => readonly Chat[]
  readonly isOver: () => boolean
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const NOTHING = new Uint8Array(0)

/** The coordinator of state transfer of an original (spec/ledger.md §13.3–13.6). */
export class Transfer {
  private stateValid = true
  private inProgress = false
  private stateBlock = 0
  readonly counts = { snapshots: 0, deltas: 0, blocks: 0 }

  constructor(private readonly options: TransferOptions) {}

  /** Resolves with what went wrong; undefined: the target is reached. */
  async syncTo(
    n: number,
    hash: Uint8Array,
    names: readonly string[] | undefined,
  ): Promise<{ readonly error: string; readonly recoverable: boolean } | undefined> {
    const { ledger, maxDeltas } = this.options
    const failed = (error: string, recoverable = true): { error: string; recoverable: boolean } => ({ error, recoverable })
    if (!this.inProgress) {
      this.stateBlock = ledger.height - 1
      this.inProgress = true
    }
    if (this.stateBlock + maxDeltas < n) this.stateValid = false
    if (!this.stateValid) {
      const block = await this.fetchSnapshot(names)
      if (block === undefined) return failed('no snapshot')
      this.stateBlock = block
    }
    if (n < this.stateBlock) return failed(`the target ${n} is below the state, ${this.stateBlock}`, false)
    const error = await this.blocks(n, hash, this.stateBlock, names)
    if (error !== undefined) return failed(error)
    const stored = ledger.block(this.stateBlock)
    if (!stored || !sameBytes(decode(Block, stored).stateHash, ledger.stateHash() ?? NOTHING)) {
      this.stateValid = false
      return failed(`the state is not that of block ${this.stateBlock}`)
    }
    this.stateValid = true
    if (this.stateBlock < n && !(await this.playDeltas(n, names))) {
      this.stateValid = false
      return failed('no deltas')
    }
    this.inProgress = false
    return undefined
  }

  private async tryOver(names: readonly string[] | undefined, work: (chat: Chat) => Promise<boolean>): Promise<boolean> {
    const { world, chats, isOver } = this.options
    const all = [...chats(names)]
    if (all.length === 0) {
      await new Promise<void>((resolve) => void world.after(1000, resolve))
      return false
    }
    const from = Math.floor(world.random() * all.length)
    for (const chat of [...all.slice(from), ...all.slice(0, from)]) if (!isOver() && (await work(chat))) return true
    return false
  }

  private async blocks(n: number, hash: Uint8Array, stop: number, names: readonly string[] | undefined): Promise<string | undefined> {
    const { ledger, blocksChannel } = this.options
    if (n + 1 < ledger.height) throw new Panic(`the chain, ${ledger.height}, is higher than the target ${n}`)
    let cursor = n
    let want = hash
    for (let block = ledger.block(cursor); block && sameBytes(blockHashOf(block), want); block = cursor < 0 ? undefined : ledger.block(cursor)) {
      want = decode(Block, block).previousBlockHash
      cursor--
      if (cursor + 1 === stop) break
    }
    if (cursor + 1 <= stop) return undefined
    const low = stop
    const isDone = await this.tryOver(names, async (chat) => {
      for (;;) {
        const end = blocksChannel > cursor ? low : Math.max(low, cursor - blocksChannel)
        chat.askBlocks(BigInt(cursor), BigInt(end))
        while (cursor >= end) {
          const message = await chat.nextBlocks(2000)
          if (!message || message.range.start < message.range.end) return false
          for (const [index, block] of message.blocks.entries()) {
            if (message.range.start - BigInt(index) !== BigInt(cursor) || !sameBytes(blockHashOf(block), want)) return false
            ledger.putRaw(cursor, block)
            this.counts.blocks++
            want = decode(Block, block).previousBlockHash
            if (cursor === low) return true
            cursor--
          }
        }
      }
    })
    return isDone ? undefined : `block ${cursor} could not be had`
  }

  private async fetchSnapshot(names: readonly string[] | undefined): Promise<number | undefined> {
    const { ledger, world } = this.options
    let number = 0
    const isDone = await this.tryOver(names, async (chat) => {
      ledger.state = new Map()
      const deadline = world.nowMs() + 60_000
      chat.askSnapshot()
      for (;;) {
        const piece = await chat.nextPiece(deadline - world.nowMs())
        if (!piece) return false
        if (piece.delta.length === 0) return true
        ledger.apply(decodeChanges(piece.delta))
        number = Number(piece.blockNumber)
      }
    })
    if (isDone) this.counts.snapshots++
    return isDone ? number : undefined
  }

  private playDeltas(n: number, names: readonly string[] | undefined): Promise<boolean> {
    const { ledger, deltasChannel } = this.options
    return this.tryOver(names, async (chat) => {
      for (;;) {
        const end = Math.min(n, this.stateBlock + 1 + deltasChannel)
        chat.askDeltas(BigInt(this.stateBlock + 1), BigInt(end))
        while (this.stateBlock < end) {
          const message = await chat.nextDeltas(2000)
          const { range, deltas = [] } = message ?? {}
          if (!range || range.start !== BigInt(this.stateBlock + 1) || range.start > range.end || range.end > BigInt(n)) return false
          for (const delta of deltas) {
            const before = new Map(ledger.state)
            ledger.apply(decodeChanges(delta))
            const block = ledger.block(this.stateBlock + 1)
            if (!block || !sameBytes(decode(Block, block).stateHash, ledger.stateHash() ?? NOTHING)) {
              ledger.state = before
              return false
            }
            this.counts.deltas++
            this.stateBlock++
            if (this.stateBlock === n) return true
          }
        }
      }
    })
  }
}
