import { PeerError, type Settings } from '../../kernel/index.js'
import type { Namespace, Store } from '../level/index.js'
import { TreeShape } from './bucket-tree/index.js'
import type { ledgerKeys } from './keys.js'
import { SupersededIndex } from './superseded-index.js'

/** Structures of the world state (`ledger.state.dataStructure.name`). */
export type StructureName = 'buckettree' | 'trie' | 'raw'

/** How the world state is kept (spec/ledger.md §7.1, §6.5). Structure, buckets and grouping belong to the data: they cannot change afterwards. */
export interface LedgerSettings {
  readonly structure: StructureName
  readonly numBuckets: number
  readonly maxGroupingAtEachLevel: number
  /** Bound of the cache of buckets and inner nodes, in MiB; 0 or less disables it. */
  readonly bucketCacheSizeMiB: number
  /** State deltas kept for other peers, in blocks; 0 keeps none. */
  readonly deltaHistorySize: number
}

/** What v0.6 ships in core.yaml. */
export const SHIPPED_SETTINGS: LedgerSettings = Object.freeze({
  structure: 'buckettree',
  numBuckets: 1_000_003,
  maxGroupingAtEachLevel: 5,
  bucketCacheSizeMiB: 100,
  deltaHistorySize: 500,
})

/** What v0.6 uses, instead of all `configs`, when the structure's name is empty (spec/ledger.md §7.1). */
const UNNAMED_SHAPE = Object.freeze({ numBuckets: 10_009, maxGroupingAtEachLevel: 10, bucketCacheSizeMiB: 100 })

/** The settings that a site's validated keys mean. */
export function settingsOf(values: Settings<typeof ledgerKeys>): LedgerSettings {
  const name = values['ledger.state.dataStructure.name']
  const configs = {
    numBuckets: values['ledger.state.dataStructure.configs.numBuckets'],
    maxGroupingAtEachLevel: values['ledger.state.dataStructure.configs.maxGroupingAtEachLevel'],
    bucketCacheSizeMiB: values['ledger.state.dataStructure.configs.bucketCacheSize'],
  }
  return {
    structure: name === 'trie' || name === 'raw' ? name : 'buckettree',
    ...(name === '' ? UNNAMED_SHAPE : configs),
    deltaHistorySize: values['ledger.state.deltaHistorySize'],
  }
}

/** Namespace of the ledger's own notes. */
export const META = 'ledger-meta'
const SETTINGS_KEY: Uint8Array = Buffer.from('settings', 'latin1')

/** What decides every state hash. */
export type DataStructure = Pick<LedgerSettings, 'structure' | 'numBuckets' | 'maxGroupingAtEachLevel'>

/** Whether states of both have the same hashes and rows. */
export function isSameStructure(a: DataStructure, b: DataStructure): boolean {
  return permanentPart(a) === permanentPart(b)
}

/** In words, as a site's keys have it. */
export function structureText({ structure, numBuckets, maxGroupingAtEachLevel }: DataStructure): string {
  return structure === 'buckettree' ? `buckettree (numBuckets ${numBuckets}, maxGroupingAtEachLevel ${maxGroupingAtEachLevel})` : structure
}

/** The part of the settings that belongs to the data, as it is stored. */
function permanentPart({ structure, numBuckets, maxGroupingAtEachLevel }: DataStructure): string {
  if (structure !== 'buckettree') return JSON.stringify({ structure })
  return JSON.stringify({ structure, numBuckets, maxGroupingAtEachLevel })
}

/**
 * Stores the permanent settings in an empty store; in another compares them with what is stored.
 *
 * @throws PeerError ERR_LEDGER_SETTINGS for a shape that cannot be; ERR_LEDGER_SETTINGS_CHANGED if the settings differ: the state hashes would
 */
export async function settle(store: Store, meta: Namespace, settings: LedgerSettings): Promise<void> {
  requireShape(settings)
  const wanted = permanentPart(settings)
  const row = meta.get(SETTINGS_KEY)
  if (!row) {
    const batch = store.batch()
    batch.put(meta, SETTINGS_KEY, Buffer.from(wanted, 'latin1'))
    SupersededIndex.begin(batch, meta)
    await store.commit(batch, 'block')
    return
  }
  const found = Buffer.from(row).toString('latin1')
  if (found === wanted) return
  throw new PeerError('ERR_LEDGER_SETTINGS_CHANGED', `the ledger was made with ledger.state.dataStructure ${found}, the site now asks for ${wanted}`, {
    hint: 'they determine every state hash and cannot change: restore the former values, or begin with an empty directory (peer.fileSystemPath)',
    details: { found, wanted },
  })
}

/** Throws if there is no tree of this shape. */
function requireShape({ numBuckets, maxGroupingAtEachLevel }: LedgerSettings): TreeShape {
  return new TreeShape(numBuckets, maxGroupingAtEachLevel)
}
