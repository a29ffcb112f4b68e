import { afterAll, describe, expect, it } from 'vitest'
import { describeMutants, isSearching, TIMEOUT_MS } from './describe-mutants.js'
import { closeWorkshop, exhibit, SPECIMENS } from './mutant.js'
import { ENGINE_MUTANTS } from './mutants-engine.js'
import { EXAMPLE_HOTSTUFF_MUTANTS } from './mutants-example-hotstuff.js'
import { HOST_MUTANTS } from './mutants-host.js'
import { EXAMPLE_RAFT_MUTANTS } from './mutants-example-raft.js'
import { OTHER_MUTANTS } from './mutants-others.js'
import { PBFT_MUTANTS } from './mutants-pbft.js'

/** Each mutant's own scenario is one more that the healthy one survives. */
const HEALTHY_SEEDS = isSearching ? 60 : 20

describeMutants('skeletons and host', [...PBFT_MUTANTS, ...OTHER_MUTANTS, ...HOST_MUTANTS])

describe('the museum', () => {
  afterAll(closeWorkshop)

  it('has at least 25 mutants, no two with one name', () => {
    const all = [ENGINE_MUTANTS, EXAMPLE_HOTSTUFF_MUTANTS, EXAMPLE_RAFT_MUTANTS, PBFT_MUTANTS, OTHER_MUTANTS, HOST_MUTANTS]
    const names = all.flatMap((hall) => hall.map(({ name }) => name))
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(25)
  })

  it('refuses a mutant whose text is not in the source any more', async () => {
    const mutant = { name: 'of yesterday', file: SPECIMENS.raft.module, find: 'no such text', replace: '' }
    await expect(exhibit('raft', mutant)).rejects.toThrow("mutant 'of yesterday': expected its text once")
  })

  for (const name of ['pbft', 'raft', 'hotstuff'] as const) {
    it(
      `lets the healthy ${name} skeleton pass`,
      async () => {
        const { kit, factory } = await exhibit(name, undefined)
        const { members } = SPECIMENS[name]
        const plan = { members, tolerates: factory.tolerates(members), faults: kit.faultKinds('inside') }
        const { failures } = await kit.runCampaign({ engine: { factory }, plan, firstSeed: 1, seeds: HEALTHY_SEEDS })
        expect(failures).toEqual([])
      },
      TIMEOUT_MS,
    )
  }
})
