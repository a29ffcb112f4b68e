import type { Clock } from '../../kernel/index.js'
import type { Store } from '../level/index.js'
import { Chain } from './chain.js'
import { CommitListeners } from './commit-listeners.js'
import type { LedgerCounters } from './counters.js'
import { DeltaHistory } from './delta-history.js'
import { OpenGuard } from './open-guard.js'
import { checkNewestBlocks, checkState } from './recovery.js'
import { type LedgerSettings, META, SHIPPED_SETTINGS, settle } from './settings.js'
import { InspectableLedger, type OpenLedger } from './inspectable-ledger.js'
import { WorldState } from './world-state.js'

/** What `createLedger` needs. */
export interface LedgerOptions {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  /** What is not given is as v0.6 ships it. */
  readonly settings?: Partial<LedgerSettings>
  /** Writes the genesis block if the chain is empty, as validating peers do (spec/ledger.md §3.4). */
  readonly genesis?: boolean
  /** Opens what is there, changes nothing and refuses no damage: for `verify`, which lists it. */
  readonly inspect?: boolean
  /** Where the ledger counts what it commits. */
  readonly counters?: LedgerCounters
  /** Told what a commit listener threw; by default it is thrown where nobody can miss it. */
  readonly onListenerError?: (thrown: unknown) => void
}

/**
 * Opens the ledger in a store, empty or not.
 *
 * @throws PeerError ERR_LEDGER_CORRUPT if height, newest blocks and state contradict each other; ERR_LEDGER_SETTINGS for a shape that cannot be;
 * ERR_LEDGER_SETTINGS_CHANGED if the store was made with another shape
 */
export async function createLedger({ store, clock, settings, genesis, inspect, counters, onListenerError }: LedgerOptions): Promise<OpenLedger> {
  const allSettings: LedgerSettings = { ...SHIPPED_SETTINGS, ...settings }
  const meta = store.namespace(META)
  await settle(store, meta, allSettings)
  const world = new WorldState(store, meta, allSettings)
  const chain = new Chain(store, meta)
  const history = new DeltaHistory(store, allSettings.deltaHistorySize)
  if (!inspect) {
    chain.loadHead()
    checkNewestBlocks(chain)
    checkState(chain, world)
    await chain.superseded.complete(chain)
    await world.dropUnused()
    await history.prune(chain.height)
  }
  const ledger = new InspectableLedger({
    store,
    world,
    structure: allSettings,
    chain,
    history,
    guard: new OpenGuard(),
    listeners: new CommitListeners(onListenerError ?? throwLoudly),
    counters,
    clock,
  })
  if (genesis && chain.height === 0n) await ledger.openBatch().commit([], undefined)
  return ledger
}

/** As an uncaught exception: a listener must not throw, and nobody else can be told. */
function throwLoudly(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown
  })
}
