import type { EpochRecord } from '../../../proto/index.js'
import type { CatalogEngine } from '../catalog.js'

/** What a proposal, a plan of recovery and an epoch's record say of the engine alike: which one, with which code and options, and what it tolerates. */
export type EngineTerms = Pick<EpochRecord, 'engine' | 'version' | 'codeDigest' | 'options' | 'crashed' | 'byzantine' | 'agreement'>

/** The terms of an engine with these options, unparsed, among so many members. */
export function termsOf(engine: CatalogEngine, options: unknown, members: number): EngineTerms {
  const { crashed, byzantine } = engine.tolerates(members)
  return {
    engine: engine.name,
    version: engine.version,
    codeDigest: engine.codeDigest ?? '',
    options: JSON.stringify(options ?? {}),
    crashed,
    byzantine,
    agreement: engine.agreement,
  }
}
