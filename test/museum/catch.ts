import type { EngineFactory } from '../../plugins/consensus/index.js'
import type { FailureKind, Fidelity, PlayedEngine } from '../kit/index.js'
import { type Exhibit, exhibit, type Mutant, type Specimen, SPECIMENS } from './mutant.js'

/** How a mutant was caught. */
export interface Caught {
  readonly name: string
  readonly seed: number
  readonly kind: FailureKind
  readonly statement: string
  /** Seconds of a processor, without the bundling of the mutant. */
  readonly seconds: number
}

/** What is played of a specimen. */
export function engineOf({ options, successors: wanted = [] }: Specimen, { factory, successors }: Pick<Exhibit, 'factory' | 'successors'>): PlayedEngine {
  const played = successors.map((each, index) => ({ factory: each, options: wanted[index]?.options ?? {} }))
  return { factory, options, ...(played.length > 0 ? { successors: played } : {}) }
}

/** What every engine of a network bears. */
export function leastTolerance(engines: readonly EngineFactory[], members: number): { readonly crashed: number; readonly byzantine: number } {
  const all = engines.map((engine) => engine.tolerates(members))
  return { crashed: Math.min(...all.map(({ crashed }) => crashed)), byzantine: Math.min(...all.map(({ byzantine }) => byzantine)) }
}

/** What is real in the runs that catch a mutant: for broken engines nothing else, which catches them sooner; broken hosts and swaps need a host. */
export function fidelityOf({ file, swaps, fidelity }: Mutant): Fidelity {
  const isOfHost = swaps !== undefined || /^plugins\/(consensus|ledger)\/|^test\/kit\//.test(file)
  return fidelity ?? (isOfHost ? 'host' : 'logical')
}

/** Plays these seeds until the mutant is caught; undefined if it lives through all of them. */
export async function catchMutant(mutant: Mutant, seeds: Iterable<number>): Promise<Caught | undefined> {
  const before = process.cpuUsage()
  const specimen: Specimen = SPECIMENS[mutant.specimen]
  const { kit, factory, successors } = await exhibit(mutant.specimen, mutant)
  const engine = engineOf(specimen, { factory, successors })
  const { members } = specimen
  for (const seed of seeds) {
    const scenario = kit.planScenario({
      seed,
      members,
      tolerates: leastTolerance([factory, ...successors], members),
      faults: mutant.faults ?? kit.faultKinds('inside'),
      patienceMs: 30_000,
      fidelity: fidelityOf(mutant),
      // What the host leaves out would not be noticed. Across epochs it has to: engines begin with the newest requests alone.
      ...(mutant.swaps === undefined
        ? { repetitions: 'executed' as const }
        : { swaps: { engines: [factory, ...successors].map(({ name }) => ({ name })), count: mutant.swaps } }),
      ...(mutant.hosts ? { hosts: mutant.hosts } : {}),
      ...(mutant.requests === undefined ? {} : { requests: mutant.requests }),
      ...(mutant.durationMs === undefined ? {} : { durationMs: mutant.durationMs }),
    })
    const { failure } = await kit.playScenario(engine, scenario)
    if (failure && (mutant.kind ?? failure.kind) === failure.kind) {
      // Only what the healthy one survives shows that the mutation was noticed.
      const healthy = await exhibit(mutant.specimen, undefined)
      const unmutated = await healthy.kit.playScenario(engineOf(specimen, healthy), scenario)
      if (unmutated.failure) continue
      const { kind, statement } = failure
      const { user, system } = process.cpuUsage(before)
      return { name: mutant.name, seed, kind, statement, seconds: (user + system) / 1e6 }
    }
  }
  return undefined
}
