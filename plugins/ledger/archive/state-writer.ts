import type { Store } from '../../level/index.js'
import { StateDelta } from '../state-delta.js'
import type { PreparedState, WorldStateStructure } from '../world-state-structure.js'
import type { StatePiece } from './state-pieces.js'

/** Collected until one of these is reached, then written. */
const MAX_PENDING_KEYS = 2000
const MAX_PENDING_BYTES = 4 * 1024 * 1024

/** Fills an empty world state. */
export class StateWriter {
  keys = 0n
  /** Keys for whose values the state hash does not vouch. */
  uncovered = 0n
  private pending = new StateDelta()
  private pendingBytes = 0

  constructor(
    private readonly store: Store,
    private readonly structure: WorldStateStructure,
    private readonly context: Uint8Array,
  ) {}

  async add({ delta, composites, bytes }: StatePiece): Promise<void> {
    this.keys += BigInt(composites.length)
    for (const composite of composites) if (!this.structure.covers(composite, this.context)) this.uncovered += 1n
    this.pending.merge(delta)
    this.pendingBytes += bytes
    if (this.pending.size >= MAX_PENDING_KEYS || this.pendingBytes >= MAX_PENDING_BYTES) await this.flush()
  }

  /** Hash of the whole state. */
  async finish(): Promise<Uint8Array | undefined> {
    await this.flush()
    if (this.structure.prepareContext) await this.write(this.structure.prepareContext(this.context))
    return this.structure.hash
  }

  private async flush(): Promise<void> {
    if (this.pending.isEmpty) return
    const { pending } = this
    this.pending = new StateDelta()
    this.pendingBytes = 0
    await this.write(await this.structure.prepare(pending, false))
  }

  private async write(state: PreparedState): Promise<void> {
    const batch = this.store.batch()
    state.write(batch)
    await this.store.commit(batch, 'record')
    state.committed()
  }
}
