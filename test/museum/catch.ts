import type { FailureKind } from '../kit/index.js'
import { exhibit, type Mutant, type Specimen, SPECIMENS } from './mutant.js'

/** How a mutant was caught. */
export interface Caught {
  readonly name: string
  readonly seed: number
  readonly kind: FailureKind
  readonly statement: string
  /** Seconds of the machine, with the making of the mutant. */
  readonly seconds: number
}

/** Plays these seeds until the mutant is caught; undefined if it lives through all of them. */
export async function catchMutant(mutant: Mutant, seeds: Iterable<number>): Promise<Caught | undefined> {
  const startedMs = performance.now()
  const specimen: Specimen = SPECIMENS[mutant.specimen]
  const { kit, factory } = await exhibit(mutant.specimen, mutant)
  const { members } = specimen
  for (const seed of seeds) {
    const scenario = kit.planScenario({
      seed,
      members,
      tolerates: factory.tolerates(members),
      faults: mutant.faults ?? kit.faultKinds('inside'),
      patienceMs: 30_000,
      // What the host leaves out would not be noticed.
      repetitions: 'executed',
      ...(mutant.hosts ? { hosts: mutant.hosts } : {}),
      ...(mutant.requests === undefined ? {} : { requests: mutant.requests }),
      ...(mutant.durationMs === undefined ? {} : { durationMs: mutant.durationMs }),
    })
    const { failure } = await kit.playScenario({ factory, options: specimen.options }, scenario)
    if (failure && (mutant.kind ?? failure.kind) === failure.kind) {
      // Only what the healthy one survives shows that the mutation was noticed.
      const healthy = await exhibit(mutant.specimen, undefined)
      const unmutated = await healthy.kit.playScenario({ factory: healthy.factory, options: specimen.options }, scenario)
      if (unmutated.failure) continue
      const { kind, statement } = failure
      return { name: mutant.name, seed, kind, statement, seconds: (performance.now() - startedMs) / 1000 }
    }
  }
  return undefined
}
