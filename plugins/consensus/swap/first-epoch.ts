import type { EpochRecord } from '../../../proto/index.js'
import type { CatalogEngine } from '../catalog.js'
import type { Member } from '../engine.js'

/** Epoch 0 as the sites describe it: it is in no world state. */
export function firstEpoch(engine: CatalogEngine, members: readonly Member[]): EpochRecord {
  const { crashed, byzantine } = engine.tolerates(members.length)
  return {
    epoch: 0n,
    engine: engine.name,
    version: engine.version,
    codeDigest: engine.codeDigest ?? '',
    options: JSON.stringify(engine.options ?? {}),
    members: members.map(({ id }) => id),
    crashed,
    byzantine,
    agreement: engine.agreement,
    activation: 0n,
    firstLeader: 0,
    candidate: new Uint8Array(0),
    markersNeeded: 0,
    started: [],
    missing: [],
    isRecovery: false,
  }
}
