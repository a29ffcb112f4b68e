import { type ExportProgress, writeArchive } from './archive/write.js'
import { stateBehind } from './errors.js'
import type { Height, StateEntry, StateKey } from './ledger.js'
import type { SyncableLedger } from './ledger-sync.js'
import { TransferableLedger } from './state-transfer.js'

/** The world state of one moment. Must be released. */
export interface StateView {
  /** The block whose state this is. */
  readonly block: Height
  get(chaincode: StateKey, key: StateKey): Uint8Array | undefined
  /** Both bounds inclusive, empty = unbounded, in the order of the keys' bytes. */
  list(chaincode: StateKey, from: StateKey, to: StateKey): AsyncIterable<StateEntry>
  release(): Promise<void>
}

/** What operators look at. */
export interface LedgerInspection {
  /** A stored block by its hash; `undefined` if the hash is of none. */
  blockOfHash(hash: Uint8Array): { readonly number: Height; readonly bytes: Uint8Array } | undefined
  /** Throws ERR_LEDGER_STATE_BEHIND if there is no state. */
  stateView(): StateView
  /** The whole chain and its state, of one moment, as an archive (docs/reference/ledger-archive.md). What `progress` throws ends it. */
  exportArchive(progress?: (progress: ExportProgress) => void): AsyncGenerator<Uint8Array>
}

/** Everything a ledger can do. */
export type OpenLedger = SyncableLedger & LedgerInspection

/** The ledger with what operators look at. */
export class InspectableLedger extends TransferableLedger implements LedgerInspection {
  blockOfHash(hash: Uint8Array): { readonly number: Height; readonly bytes: Uint8Array } | undefined {
    const { chain } = this.parts
    const number = chain.numberOf(hash)
    const bytes = number === undefined ? undefined : chain.stored(number)
    return number === undefined || bytes === undefined ? undefined : { number, bytes }
  }

  stateView(): StateView {
    const { store, world, chain } = this.parts
    const snapshot = store.snapshot()
    const { structure, block } = world.at(snapshot)
    if (block === undefined) {
      void snapshot.release()
      throw stateBehind(block, chain.height)
    }
    return {
      block,
      get: (chaincode, key) => structure.get(chaincode, key, snapshot),
      list: (chaincode, from, to) => structure.list(chaincode, from, to, snapshot),
      release: () => snapshot.release(),
    }
  }

  exportArchive(progress?: (progress: ExportProgress) => void): AsyncGenerator<Uint8Array> {
    const { store, world, chain, structure } = this.parts
    const snapshot = store.snapshot()
    const at = world.at(snapshot)
    return writeArchive({ chain, snapshot, world: at.structure, structure, stateBlock: at.block }, progress)
  }
}
