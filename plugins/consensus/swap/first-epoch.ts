import type { EpochRecord } from '../../../proto/index.js'
import type { CatalogEngine } from '../catalog.js'
import type { Member } from '../engine/engine.js'
import { termsOf } from './terms.js'

/** Epoch 0 as the sites describe it: it is in no world state. */
export function firstEpoch(engine: CatalogEngine, members: readonly Member[]): EpochRecord {
  return {
    epoch: 0n,
    members: members.map(({ id }) => id),
    activation: 0n,
    firstLeader: 0,
    candidate: new Uint8Array(0),
    markersNeeded: 0,
    started: [],
    missing: [],
    isRecovery: false,
    ...termsOf(engine, engine.options, members.length),
  }
}
