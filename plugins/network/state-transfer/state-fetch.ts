import { type Clock, messageOf, PeerError } from '../../../kernel/index.js'
import { decodeDelta, encodeDelta, StateDelta, type StateReplacement, type SyncableLedger } from '../../ledger/index.js'
import type { Link } from '../link.js'
import { FutileError, LiarError } from './sources.js'
import type { SnapshotReply, SyncClient } from './sync-client.js'

/** A snapshot may be older or newer than wanted by so many blocks; deltas lead from one to the other. */
const MAX_DRIFT = 10_000n
/** A neighbour that sends a snapshot says something within this time, however long the whole takes. */
const SNAPSHOT_SILENCE_MS = 10_000

export interface StateFetchOptions {
  readonly ledger: Pick<SyncableLedger, 'block' | 'stateBlock' | 'stateHash' | 'applyStateDelta' | 'replaceState'>
  readonly client: Pick<SyncClient, 'deltas' | 'snapshot'>
  readonly clock: Clock
  /** `peer.sync.state.deltas.channelSize`: a request covers one delta more. */
  readonly channelSize: number
  readonly deltaTimeoutMs: number
  readonly snapshotTimeoutMs: number
}

/** The world state of a block whose hash is trusted, by deltas on the present state or by a snapshot (spec/ledger.md §13.6). */
export class StateFetch {
  constructor(
    private readonly options: StateFetchOptions,
    private readonly target: bigint,
  ) {}

  get isDone(): boolean {
    const { ledger } = this.options
    return ledger.stateBlock() === this.target && this.matches(this.target, ledger.stateHash())
  }

  /** Whether deltas can lead to the target: the state is that of a block of the chain, and not too far behind. */
  canUseDeltas(maxDeltas: number): boolean {
    const { ledger } = this.options
    const block = ledger.stateBlock()
    return block !== undefined && block <= this.target && this.target - block <= BigInt(maxDeltas) && this.matches(block, ledger.stateHash())
  }

  /** Plays deltas upwards. Each state is compared with its block before it is stored; a wrong one changes nothing. */
  async deltasFrom(link: Link): Promise<void> {
    const { ledger } = this.options
    const from = ledger.stateBlock()
    if (from === undefined) throw new FutileError('there is no world state that deltas could lead on from')
    await this.eachDelta(link, from + 1n, this.target, async (number, delta) => {
      const applied = await this.readable(() => ledger.applyStateDelta(delta))
      if (!this.matches(number, applied.stateHash)) {
        applied.rollback()
        throw new LiarError(`its delta of block ${number} does not lead to the state of that block`)
      }
      await applied.commit(number)
    })
  }

  /**
   * Fills a new state beside the present one, which stays until the new one has been found to be that of the target. Under load a snapshot is newer
   * than its target: the deltas between, played backwards, lead to it.
   */
  async snapshotFrom(link: Link): Promise<void> {
    const replacement = await this.options.ledger.replaceState()
    let isActive = false
    try {
      const block = await this.fill(replacement, link)
      if (block < this.target) await this.eachDelta(link, block + 1n, this.target, (_number, delta) => this.readable(() => replacement.add(delta)))
      else await this.goBack(replacement, link, block)
      if (!this.matches(this.target, await replacement.stateHash())) throw new LiarError(`its snapshot does not lead to the state of block ${this.target}`)
      isActive = true
      await replacement.activate(this.target)
    } finally {
      if (!isActive) await replacement.discard()
    }
  }

  /** Returns the block of which the snapshot is. */
  private async fill(replacement: StateReplacement, link: Link): Promise<bigint> {
    const { client, clock, snapshotTimeoutMs } = this.options
    const replies = client.snapshot(link)
    const deadlineMs = clock.elapsedMs() + snapshotTimeoutMs
    // Also one that comes too fast to keep anybody waiting has to end.
    const next = async (): Promise<SnapshotReply> => {
      const leftMs = deadlineMs - clock.elapsedMs()
      const late = `its snapshot did not end within ${snapshotTimeoutMs / 1000} s`
      if (leftMs <= 0) throw new PeerError('ERR_SYNC_SILENT', late)
      try {
        return await replies.next(Math.min(leftMs, SNAPSHOT_SILENCE_MS))
      } catch (error) {
        throw clock.elapsedMs() < deadlineMs ? error : new PeerError('ERR_SYNC_SILENT', late, { cause: error })
      }
    }
    let block: bigint | undefined
    try {
      for (let sequence = 0n; ; sequence++) {
        const piece = await next()
        block ??= piece.block
        if (piece.block !== block) throw new LiarError(`its snapshot is of block ${block} and of block ${piece.block}`)
        if (abs(block - this.target) > MAX_DRIFT) throw new PeerError('ERR_SYNC_ENDED', `its snapshot is of block ${block}, too far from ${this.target}`)
        if (piece.delta.length === 0) return block
        if (piece.sequence !== sequence) throw new LiarError(`its snapshot has piece ${piece.sequence} after ${sequence - 1n}`)
        await this.readable(() => replacement.add(piece.delta))
      }
    } finally {
      replies.fail('no more is needed')
    }
  }

  /** From the state of a newer block to that of the target, window by window, newest first. */
  private async goBack(replacement: StateReplacement, link: Link, block: bigint): Promise<void> {
    for (let high = block; high > this.target; ) {
      const reach = high - BigInt(this.options.channelSize)
      const low = reach > this.target ? reach : this.target + 1n
      const inverses: Uint8Array[] = []
      await this.eachDelta(link, low, high, async (_number, delta) => void inverses.push(await this.readable(async () => inverse(delta))))
      for (const delta of inverses.reverse()) await replacement.add(delta)
      high = low - 1n
    }
  }

  private async eachDelta(link: Link, first: bigint, last: bigint, take: (number: bigint, delta: Uint8Array) => Promise<void>): Promise<void> {
    const { client, channelSize, deltaTimeoutMs } = this.options
    let next = first
    while (next <= last) {
      const reach = next + BigInt(channelSize)
      const end = reach < last ? reach : last
      const replies = client.deltas(link, next, end)
      try {
        for (; next <= end; next++) {
          const { number, delta } = await replies.next(deltaTimeoutMs)
          if (number !== next) throw new LiarError(`it sent the delta of block ${number} instead of ${next}`)
          await take(number, delta)
        }
      } finally {
        replies.fail('no more is needed')
      }
    }
  }

  private matches(block: bigint, stateHash: Uint8Array | undefined): boolean {
    const expected = this.options.ledger.block(block)?.stateHash
    return expected !== undefined && Buffer.compare(expected, stateHash ?? NO_HASH) === 0
  }

  /** What a neighbour sent and cannot be read is its fault. */
  private async readable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof PeerError && error.code === 'ERR_LEDGER_DELTA') throw new LiarError(messageOf(error))
      throw error
    }
  }
}

/** No hash, an empty state, is an absent field. */
const NO_HASH = new Uint8Array(0)

/** The delta that undoes another one. Throws ERR_LEDGER_DELTA. */
export function inverse(bytes: Uint8Array): Uint8Array {
  const undone = new StateDelta()
  for (const { chaincode, entries } of decodeDelta(bytes).groups.values()) {
    for (const { key, value, previousValue } of entries.values()) undone.set(chaincode, key, previousValue, value)
  }
  return encodeDelta(undone)
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}
