import { PeerError } from '../../kernel/index.js'
import type { Store } from '../level/index.js'
import type { Height } from './ledger.js'
import type { StateReplacement } from './ledger-sync.js'
import { StateDelta } from './state-delta.js'
import { decodeDelta } from './state-delta-codec.js'
import type { WorldStateStructure } from './world-state-structure.js'

/** Collected until one of these is reached, then written. */
const MAX_PENDING_KEYS = 2000
const MAX_PENDING_BYTES = 4 * 1024 * 1024

/** What a replacement asks of the ledger. */
export interface ReplacementHost {
  activate(block: Height): Promise<void>
  /** Activated or given up: deletes the rows that are no longer used. */
  ended(): Promise<void>
}

/** A world state that is being filled from received deltas. */
export class FillingState implements StateReplacement {
  private pending = new StateDelta()
  private pendingKeys = 0
  private pendingBytes = 0
  private isOpen = true

  constructor(
    private readonly store: Store,
    private readonly structure: WorldStateStructure,
    private readonly host: ReplacementHost,
  ) {}

  async add(bytes: Uint8Array): Promise<void> {
    this.requireOpen()
    const delta = decodeDelta(bytes)
    this.pendingKeys += delta.size
    this.pendingBytes += bytes.length
    this.pending.merge(delta)
    if (this.pendingKeys >= MAX_PENDING_KEYS || this.pendingBytes >= MAX_PENDING_BYTES) await this.flush()
  }

  async stateHash(): Promise<Uint8Array | undefined> {
    this.requireOpen()
    await this.flush()
    return this.structure.hash
  }

  async activate(block: Height): Promise<void> {
    this.requireOpen()
    await this.flush()
    this.isOpen = false
    try {
      await this.host.activate(block)
    } finally {
      await this.host.ended()
    }
  }

  async discard(): Promise<void> {
    this.requireOpen()
    this.isOpen = false
    await this.host.ended()
  }

  private async flush(): Promise<void> {
    if (this.pending.isEmpty) return
    const { pending } = this
    this.pending = new StateDelta()
    this.pendingKeys = 0
    this.pendingBytes = 0
    const state = await this.structure.prepare(pending, false)
    const batch = this.store.batch()
    state.write(batch)
    await this.store.commit(batch, 'record')
    state.committed()
  }

  private requireOpen(): void {
    if (!this.isOpen) throw new PeerError('ERR_LEDGER_BATCH_ENDED', 'the replacement of the state has ended')
  }
}
