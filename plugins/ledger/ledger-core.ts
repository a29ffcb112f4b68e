import type { Store } from '../level/index.js'
import type { Chain } from './chain.js'
import type { CommitListeners } from './commit-listeners.js'
import type { DeltaHistory } from './delta-history.js'
import type { OpenGuard } from './open-guard.js'
import type { DataStructure } from './settings.js'
import type { WorldState } from './world-state.js'

/** What a ledger's halves share. */
export interface LedgerCore {
  readonly store: Store
  readonly world: WorldState
  readonly structure: DataStructure
  readonly chain: Chain
  readonly history: DeltaHistory
  readonly guard: OpenGuard
  readonly listeners: CommitListeners
}
