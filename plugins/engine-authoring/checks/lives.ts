import type { EngineFactory } from '../../consensus/index.js'
import type { CheckContext, Kit } from './check.js'
import { expect } from './check.js'

const SEEDS = [11, 12, 13]

export type Recording = Parameters<Kit['replay']>[2]

/** Lives of all instances of a few runs, with what an engine has to bear; recorded once, when they are first wanted. */
export function recordedLives(
  { kit, loaded, options, members }: CheckContext,
  wrap: (factory: EngineFactory) => EngineFactory = (factory) => factory,
): () => Promise<Recording[]> {
  let recorded: Promise<Recording[]> | undefined
  const record = async (): Promise<Recording[]> => {
    const { factory } = loaded
    const count = sizeOf(factory, members)
    const recordings: Recording[] = []
    for (const seed of SEEDS) {
      const scenario = kit.planScenario({
        seed,
        members: count,
        tolerates: factory.tolerates(count),
        faults: count === 1 ? ['kill', 'power'] : kit.faultKinds('inside'),
      })
      const { failure } = await kit.playScenario({ factory: kit.recordEngine(wrap(factory), recordings), options }, scenario)
      // Whether it orders everything is for the conformance suite to say; what did not live cannot be looked at.
      expect(failure?.kind !== 'contract', `expected an instance that lives through a run of the simulator; ${failure?.statement ?? ''}`)
    }
    const lived = recordings.filter(({ calls }) => calls.length > 0)
    expect(lived.length > 0, 'expected that an instance is created in a run of the simulator; none was')
    return lived
  }
  return () => (recorded ??= record())
}

/** How many validators are looked at. */
export function sizeOf(factory: EngineFactory, members: readonly number[] | undefined): number {
  if (!factory.agreement) return 1
  return members?.[0] ?? (factory.tolerates(4).byzantine > 0 ? 4 : 3)
}
