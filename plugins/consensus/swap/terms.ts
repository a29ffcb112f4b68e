import { PeerError } from '../../../kernel/index.js'
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

/** Rejects unless an engine has the code that was said, accepts the options, and tolerates as many faults as was said. */
export async function requireTerms(engine: CatalogEngine, wanted: EngineTerms, members: number): Promise<void> {
  const own = engine.codeDigest ?? ''
  if (own !== wanted.codeDigest) {
    const named = `${wanted.engine} ${wanted.version}`
    throw new PeerError('ERR_ENGINE_CODE', `${named} has other code here: expected digest ${wanted.codeDigest || 'none'}, found ${own || 'none'}`, {
      hint: 'install the very same package on every validator',
    })
  }
  await engine.checkOptions(JSON.parse(wanted.options))
  const { crashed, byzantine } = engine.tolerates(members)
  if (crashed !== wanted.crashed || byzantine !== wanted.byzantine || engine.agreement !== wanted.agreement) {
    throw new PeerError(
      'ERR_ENGINE_TOLERANCE',
      `${engine.name} tolerates ${crashed} crashed and ${byzantine} lying members, not ${wanted.crashed} and ${wanted.byzantine}`,
    )
  }
}
