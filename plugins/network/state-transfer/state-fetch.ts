import { type Clock, messageOf, PeerError } from '../../../kernel/index.js'
import { decodeDelta, encodeDelta, StateDelta, type StateReplacement, type SyncableLedger } from '../../ledger/index.js'
import type { Link } from '../link.js'
import type { Replies } from './replies.js'
import { FutileError, LeftOutError, LiarError, StaleError } from './sources.js'
import { NO_STATE, type SnapshotReply, type SyncClient } from './sync-client.js'
import { windowOf } from './windows.js'

/** A snapshot may be older or newer than wanted by so many blocks; deltas lead from one to the other. */
const MAX_DRIFT = 10_000n
/** A neighbour that sends a snapshot says something within this time, however long the whole takes. */
const SNAPSHOT_SILENCE_MS = 10_000
/** What leads back from a newer snapshot is in memory. */
const MAX_BACK_BYTES = 64 * 1024 * 1024
/** Deltas are applied together until one of these is reached. */
const GROUP_DELTAS = 64n
const GROUP_BYTES = 1024 * 1024

export interface StateFetchOptions {
  readonly ledger: Pick<SyncableLedger, 'block' | 'stateBlock' | 'stateHash' | 'applyStateDelta' | 'replaceState'>
  readonly client: Pick<SyncClient, 'deltas' | 'endDeltas' | 'snapshot'>
  readonly clock: Clock
  /** `peer.sync.state.deltas.channelSize`: a request to an original covers one delta more. */
  readonly channelSize: number
  readonly deltaTimeoutMs: number
  readonly snapshotTimeoutMs: number
}

/**
 * The world state of a block whose hash is trusted, by deltas on the present state or by a snapshot (spec/ledger.md §13.6). That block must be stored
 * before a snapshot is asked for; those below need not be.
 */
export class StateFetch {
  /** Verified, and not in use yet: it is put in the place of the present one when all blocks are there. */
  private held: StateReplacement | undefined

  constructor(
    private readonly options: StateFetchOptions,
    private readonly target: bigint,
  ) {}

  get isDone(): boolean {
    const { ledger } = this.options
    return ledger.stateBlock() === this.target && this.matches(this.target, ledger.stateHash())
  }

  get isHeld(): boolean {
    return this.held !== undefined
  }

  /** Whether deltas can lead to the target: the state is that of a block of the chain, and not too far behind. */
  canUseDeltas(maxDeltas: number): boolean {
    const { ledger } = this.options
    const block = ledger.stateBlock()
    return block !== undefined && block <= this.target && this.target - block <= BigInt(maxDeltas) && this.matches(block, ledger.stateHash())
  }

  /**
   * Plays deltas upwards, several at a time. The state after each such group is compared with its block before it is stored; a wrong one changes nothing.
   */
  async deltasFrom(link: Link): Promise<void> {
    const from = this.options.ledger.stateBlock()
    if (from === undefined) throw new FutileError('there is no world state that deltas could lead on from')
    let group = new StateDelta()
    let [first, bytes] = [from + 1n, 0]
    await this.eachDelta(link, from + 1n, this.target, this.options.deltaTimeoutMs, async (number, delta) => {
      group.merge(await this.readable(async () => decodeDelta(delta)))
      bytes += delta.length
      if (number < this.target && number - first + 1n < GROUP_DELTAS && bytes < GROUP_BYTES) return
      await this.apply(group, first, number)
      group = new StateDelta()
      ;[first, bytes] = [number + 1n, 0]
    })
  }

  /**
   * Fills a new state beside the present one, which stays until {@link activate}, and compares it with that of the target. Under load a snapshot is newer
   * than its target: the deltas between, played backwards, lead to it. Throws StaleError if the neighbour does not have them any more.
   */
  async snapshotFrom(link: Link): Promise<void> {
    const replacement = await this.options.ledger.replaceState()
    try {
      await this.lead(replacement, link)
      if (!this.matches(this.target, await replacement.stateHash())) throw new LiarError(`its snapshot does not lead to the state of block ${this.target}`)
      this.held = replacement
    } finally {
      if (this.held !== replacement) await replacement.discard()
    }
  }

  /** Puts the state that was fetched in the place of the present one. All blocks must be stored: from now on a start relies on the chain below. */
  async activate(): Promise<void> {
    const { held } = this
    this.held = undefined
    await held?.activate(this.target)
  }

  /** Gives up what was fetched and is not in use. */
  async discard(): Promise<void> {
    const { held } = this
    this.held = undefined
    await held?.discard()
  }

  private async apply(group: StateDelta, first: bigint, last: bigint): Promise<void> {
    const applied = await this.readable(() => this.options.ledger.applyStateDelta(encodeDelta(group)))
    if (!this.matches(last, applied.stateHash)) {
      applied.rollback()
      throw new LiarError(`its deltas of the blocks ${first} to ${last} do not lead to the state of block ${last}`)
    }
    await applied.commit(last)
  }

  /** From the snapshot to the state of the target. What leads back is asked for while the snapshot comes: later the neighbour may not have it any more. */
  private async lead(replacement: StateReplacement, link: Link): Promise<void> {
    let back: Promise<StateDelta> | undefined
    let failure: unknown
    const replies = this.options.client.snapshot(link)
    try {
      const block = await this.fill(replacement, replies, (newer) => {
        back = this.back(link, newer)
        back.catch((error: unknown) => {
          failure = error
          replies.fail('the deltas that belong to its snapshot cannot be had')
        })
      })
      if (back) await replacement.add(encodeDelta(await back))
      else await this.eachDelta(link, block + 1n, this.target, this.options.deltaTimeoutMs, (_number, delta) => this.readable(() => replacement.add(delta)))
    } catch (error) {
      throw failure ?? error
    } finally {
      replies.fail('no more is needed')
      // Its deltas are for this state alone.
      if (back) await this.end(link, back)
    }
  }

  /** Waits for an end of what is asked of a neighbour beside its snapshot. */
  private async end(link: Link, back: Promise<unknown>): Promise<void> {
    this.options.client.endDeltas(link)
    await back.catch(() => undefined)
  }

  /** Takes the pieces; `isNewer` is told the block of the snapshot if that is above the target. Returns that block. */
  private async fill(replacement: StateReplacement, replies: Replies<SnapshotReply>, isNewer: (block: bigint) => void): Promise<bigint> {
    const { clock, snapshotTimeoutMs } = this.options
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
    for (let sequence = 0n; ; sequence++) {
      const piece = await next()
      if (block === undefined) {
        block = piece.block
        if (block === NO_STATE) throw new PeerError('ERR_SYNC_ENDED', 'it has no world state to give', { retryable: true })
        if (abs(block - this.target) > MAX_DRIFT) throw new PeerError('ERR_SYNC_ENDED', `its snapshot is of block ${block}, too far from ${this.target}`)
        if (block > this.target) isNewer(block)
      }
      if (piece.block !== block) throw new LiarError(`its snapshot is of block ${block} and of block ${piece.block}`)
      if (piece.delta.length === 0) return block
      if (piece.sequence > sequence) throw new LeftOutError(`its snapshot leaves out piece ${sequence}`)
      if (piece.sequence < sequence) throw new LiarError(`its snapshot has piece ${piece.sequence} after ${sequence - 1n}`)
      await this.readable(() => replacement.add(piece.delta))
    }
  }

  /** What leads from the state of a newer block back to that of the target. */
  private async back(link: Link, block: bigint): Promise<StateDelta> {
    // A Weft peer says at once what it does not have, and is given the time that its snapshot takes.
    const timeoutMs = link.hello?.weft === undefined ? this.options.deltaTimeoutMs : Math.max(this.options.deltaTimeoutMs, SNAPSHOT_SILENCE_MS)
    const merged = new StateDelta()
    let bytes = 0
    let reached = this.target
    try {
      // The oldest first: they are the next to be dropped.
      await this.eachDelta(link, this.target + 1n, block, timeoutMs, async (number, delta) => {
        bytes += delta.length
        if (bytes > MAX_BACK_BYTES)
          throw new PeerError('ERR_SYNC_ENDED', `the deltas of the blocks above ${this.target} have more than ${MAX_BACK_BYTES} bytes`)
        merged.merge(await this.readable(async () => decodeDelta(delta)))
        reached = number
      })
    } catch (error) {
      if (error instanceof LiarError || reached > this.target) throw error
      throw new StaleError(
        `its snapshot is of block ${block}, and it does not have the deltas from there back to block ${this.target}: ${messageOf(error)}`,
        error,
      )
    }
    return undoing(merged)
  }

  private async eachDelta(
    link: Link,
    first: bigint,
    last: bigint,
    timeoutMs: number,
    take: (number: bigint, delta: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const { client, channelSize } = this.options
    let next = first
    while (next <= last) {
      const reach = next + windowOf(link, 'deltas', channelSize)
      const end = reach < last ? reach : last
      const replies = client.deltas(link, next, end)
      try {
        for (; next <= end; next++) {
          const { number, delta } = await replies.next(timeoutMs)
          if (number > next) throw new LeftOutError(`it left out the delta of block ${next} and sent that of ${number}`)
          if (number < next) throw new LiarError(`it sent the delta of block ${number} instead of ${next}`)
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

/** The delta that undoes another one. */
function undoing(delta: StateDelta): StateDelta {
  const undone = new StateDelta()
  for (const { chaincode, entries } of delta.groups.values()) {
    for (const { key, value, previousValue } of entries.values()) undone.set(chaincode, key, previousValue, value)
  }
  return undone
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}
