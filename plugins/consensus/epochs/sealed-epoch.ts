import { messageOf } from '../../../kernel/index.js'
import { BlockchainInfo, encode, type EpochRecord } from '../../../proto/index.js'
import type { CatalogEngine } from '../catalog.js'
import type { Head } from '../engine/engine.js'
import { createEngineRecords, type EngineRecords } from '../engine/records.js'
import { engineMetadata } from '../execution/block-metadata.js'
import { faultsOf } from '../swap/records.js'
import type { Succession } from '../swap/succession.js'
import type { EngineTerms } from '../swap/terms.js'
import type { EpochsOptions, LiveEngine } from './live-engine.js'

/** Records that nobody needs any more are kept so long. */
const CLEAR_AFTER_MS = 1000

export interface SealedEpochOptions extends EpochsOptions {
  /** The engine of a record. Rejects with why this validator cannot run it. */
  engineFor(wanted: EngineTerms): Promise<CatalogEngine>
  create(record: EpochRecord, engine: CatalogEngine, records: EngineRecords): LiveEngine
}

/** The engine of the epoch before the present one, if others still need it: it votes for those who have not committed the activation block, and delivers nothing. */
export class SealedEpoch {
  /** Undefined: nobody needs it. */
  engine: LiveEngine | undefined

  constructor(private readonly options: SealedEpochOptions) {}

  /** Takes over the engine whose epoch has ended with the activation block of `next`. Returns how many members have to have crossed before it may go. */
  seal(old: LiveEngine, next: EpochRecord): number {
    this.engine = old
    old.session.post({ type: 'sealed', height: next.activation + 1n })
    return this.neededToLeave(old.epoch)
  }

  /** After a restart between two epochs: the engine before `next` is begun from its records. Resolves as {@link seal} returns; 0 if it is not needed, or cannot run. */
  async resume(next: EpochRecord): Promise<number> {
    const { succession: chain, store, ledger, surroundings, first, seed } = this.options
    const epoch = next.epoch - 1n
    const records = createEngineRecords(store, epoch)
    const restored = await records.load()
    const record = chain.recordOf(epoch)
    if (restored.size === 0 || !record) return 0
    try {
      const engine = epoch === 0n ? first : await this.options.engineFor(record)
      const sealed = this.options.create(record, engine, records)
      sealed.deliveries.seal()
      const head = headAt(chain, next.activation)
      sealed.session.begin({
        epoch,
        head,
        metadata: engineMetadata({ block: (number) => ledger.block(number), height: () => head.height }, epoch, record.activation),
        restored,
        members: surroundings.members,
        executed: [],
        seed,
        ...(epoch === 0n ? {} : { firstLeader: record.firstLeader }),
      })
      return this.seal(sealed, next)
    } catch (error) {
      surroundings.log.warning('the engine of the epoch before cannot help those who still need it', { epoch, reason: messageOf(error) })
      return 0
    }
  }

  /** Nobody needs it any more: it is ended, and its records are cleared a little later. */
  release(): void {
    const { engine } = this
    if (!engine) return
    this.engine = undefined
    const { succession: chain, surroundings, isOver, fatal } = this.options
    const clear = (): void => {
      // After a repair it may be the present one again.
      if (!isOver() && chain.record.epoch > engine.epoch) engine.records.clear().catch(fatal)
    }
    engine.session
      .dispose()
      // Not at once: the next engine begins in this moment, and its first writes are waited for.
      .then(() => surroundings.clock.setTimer(CLEAR_AFTER_MS, clear))
      .catch(fatal)
  }

  private neededToLeave(epoch: bigint): number {
    const { succession: chain, surroundings } = this.options
    const record = chain.recordOf(epoch)
    return surroundings.members.length - (record ? faultsOf(record) : 0)
  }
}

function headAt(chain: Succession, block: bigint): Head {
  const hash = chain.hashOf(block) ?? new Uint8Array(0)
  const before = block === 0n ? undefined : chain.hashOf(block - 1n)
  const height = block + 1n
  return { height, hash, blob: encode(BlockchainInfo, { height, currentBlockHash: hash, previousBlockHash: before ?? new Uint8Array(0) }) }
}
