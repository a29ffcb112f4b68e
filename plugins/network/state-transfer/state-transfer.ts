import { type Clock, type Logger, messageOf } from '../../../kernel/index.js'
import type { StateTransfer, StateTransferService } from '../../consensus/index.js'
import type { SyncableLedger } from '../../ledger/index.js'
import type { Link } from '../link.js'
import { BlockFetch } from './block-fetch.js'
import { FutileError, Sources } from './sources.js'
import { StateFetch } from './state-fetch.js'
import type { SyncClient } from './sync-client.js'

type Target = Parameters<StateTransfer>[0]
type Result = Awaited<ReturnType<StateTransfer>>

/** Rounds over all neighbours before a transfer is given up: consensus then has a newer target, or asks again. */
const MAX_ROUNDS = 5
const PAUSE_MS = 1000
/** How long a transfer waits for anybody to be connected. */
const LONELY_MS = 30_000

/** The keys of `statetransfer` and `peer.sync`, by their last words; durations in milliseconds. */
export interface TransferSettings {
  readonly blocksChannelSize: number
  readonly deltasChannelSize: number
  readonly recoverDamage: boolean
  readonly maxDeltas: number
  readonly blockTimeoutMs: number
  readonly deltaTimeoutMs: number
  readonly snapshotTimeoutMs: number
}

export interface StateTransferOptions {
  readonly ledger: SyncableLedger
  readonly client: SyncClient
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly settings: TransferSettings
  /** Ids of all validators, by number. */
  readonly members: readonly string[]
  /** Links to validators: to these, or to all. */
  readonly links: (ids: readonly string[] | undefined) => readonly Link[]
}

/**
 * Brings the ledger to a block that others vouched for: the blocks, downwards from its hash, and the state, by deltas or a snapshot. Nothing is
 * believed before it was compared with a hash that leads to the target's. What was done is kept when it fails, or the peer is killed.
 */
export class StateTransferCoordinator implements StateTransferService {
  private aborted: string | undefined
  private endPause = (): void => undefined

  constructor(private readonly options: StateTransferOptions) {}

  /** One at a time: consensus sees to that. */
  readonly transfer = async (target: Target): Promise<Result> => {
    const { log, clock, ledger } = this.options
    const startedMs = clock.elapsedMs()
    const from = { height: ledger.height(), stateBlock: ledger.stateBlock() }
    log.info('state transfer begins', { target: target.height, ...from })
    const result = await this.attempt(target)
    const facts = { target: target.height, ...from, seconds: Number(((clock.elapsedMs() - startedMs) / 1000).toFixed(2)) }
    if (result.reached) log.info('state transfer has reached its target', facts)
    else log.warning('state transfer did not reach its target', { ...facts, reason: result.reason })
    return result
  }

  abort(reason: string): void {
    this.aborted = reason
    this.options.client.endAll(reason)
    this.endPause()
  }

  private async attempt(target: Target): Promise<Result> {
    const { ledger, members, links, random, log } = this.options
    const top = target.height - 1n
    if (top < 0n) return { reached: false, reason: 'a transfer needs a block to aim at' }
    if (target.height < ledger.height()) {
      return { reached: false, reason: `the target, height ${target.height}, is below the height of this ledger, ${ledger.height()}` }
    }
    const vouching = target.members.length === 0 ? undefined : target.members.flatMap((member) => members[member] ?? [])
    const sources = new Sources({
      links,
      random,
      isAborted: () => this.aborted !== undefined,
      failed: (id, reason, isLiar) =>
        log.warning(isLiar ? 'a peer sent wrong data and is not asked any more' : 'a peer did not send what it was asked for', { peer: id, reason }),
    })
    try {
      return await this.rounds(top, target.hash, sources, vouching)
    } catch (error) {
      if (error instanceof FutileError) return { reached: false, reason: messageOf(error) }
      throw error
    }
  }

  private async rounds(top: bigint, hash: Uint8Array, sources: Sources, vouching: readonly string[] | undefined): Promise<Result> {
    const state = new StateFetch(this.stateOptions(), top)
    const blocks = new BlockFetch(this.blockOptions(state), top, hash)
    try {
      return await this.roundsOf(blocks, state, top, sources, vouching)
    } finally {
      await state.discard()
    }
  }

  private async roundsOf(blocks: BlockFetch, state: StateFetch, top: bigint, sources: Sources, vouching: readonly string[] | undefined): Promise<Result> {
    const { ledger, clock } = this.options
    const lonelyUntilMs = clock.elapsedMs() + LONELY_MS
    for (let round = 0; round < MAX_ROUNDS; ) {
      // Later everybody is asked: what they send is measured by the target's hash all the same.
      const ids = round === 0 ? vouching : undefined
      if (await this.advance(blocks, state, sources, ids)) {
        await ledger.verifyChain(top, blocks.lowest)
        return { reached: true }
      }
      if (this.aborted !== undefined) return { reached: false, reason: this.aborted }
      // Every further round would end so: consensus has a newer target, or will have one.
      if (sources.isStale) return { reached: false, reason: `the target is too old: ${sources.failures}` }
      const isLonely = sources.current(undefined).length === 0
      if (!isLonely || clock.elapsedMs() > lonelyUntilMs) round++
      await this.pause()
    }
    return { reached: false, reason: sources.failures === '' ? 'no validator is connected' : sources.failures }
  }

  /**
   * The highest block, then the snapshot if there has to be one, while others still have the deltas that lead from it to the target; then the other blocks,
   * however long that takes; then the state.
   */
  private async advance(blocks: BlockFetch, state: StateFetch, sources: Sources, ids: readonly string[] | undefined): Promise<boolean> {
    const { maxDeltas } = this.options.settings
    const snapshot = async (link: Link): Promise<void> => {
      await blocks.topFrom(link)
      await state.snapshotFrom(link)
    }
    const needsSnapshot = (): boolean => !state.isHeld && !state.isDone && !state.canUseDeltas(maxDeltas)
    if (needsSnapshot() && !(await sources.try(ids, snapshot))) return false
    if (!(await this.allBlocks(blocks, sources, ids))) return false
    if (state.isHeld) await state.activate()
    if (state.isDone) return true
    if (state.canUseDeltas(maxDeltas) && (await sources.try(ids, (link) => state.deltasFrom(link)))) return true
    if (this.aborted !== undefined || !(await sources.try(ids, snapshot))) return false
    await state.activate()
    return true
  }

  /** Who is slow is left for others at first, whoever they are; what it sent is kept. */
  private async allBlocks(blocks: BlockFetch, sources: Sources, ids: readonly string[] | undefined): Promise<boolean> {
    for (let asked = ids; !blocks.isDone; asked = undefined) {
      if (await sources.try(asked, (link) => blocks.from(link))) return true
      if (this.aborted !== undefined || !blocks.demandLess()) return false
    }
    return true
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.setTimer(PAUSE_MS, resolve)
      this.endPause = () => {
        cancel()
        resolve()
      }
      if (this.aborted !== undefined) this.endPause()
    })
  }

  private blockOptions(state: StateFetch): ConstructorParameters<typeof BlockFetch>[0] {
    const { ledger, client, clock, settings } = this.options
    return {
      ledger,
      client,
      clock,
      channelSize: settings.blocksChannelSize,
      timeoutMs: settings.blockTimeoutMs,
      mayReplace: settings.recoverDamage,
      stateGivesWay: () => state.discard(),
    }
  }

  private stateOptions(): ConstructorParameters<typeof StateFetch>[0] {
    const { ledger, client, clock, settings } = this.options
    return {
      ledger,
      client,
      clock,
      channelSize: settings.deltasChannelSize,
      deltaTimeoutMs: settings.deltaTimeoutMs,
      snapshotTimeoutMs: settings.snapshotTimeoutMs,
    }
  }
}
