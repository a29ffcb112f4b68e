import { afterAll, describe, expect, it } from 'vitest'
import { checkContract } from '../consensus/swap/contract-check.js'
import { describeMutants, TIMEOUT_MS } from './describe-mutants.js'
import { closeWorkshop, exhibit } from './mutant.js'
import { CONTRACT_MUTANTS, SWAP_MUTANTS } from './mutants-swap.js'

describeMutants('swap', SWAP_MUTANTS)

/** Seeds of `checkContract`; a mutant takes a few. */
const SEEDS = 40

describe('the museum of mutants: rules of succession', () => {
  afterAll(closeWorkshop)

  it('lets the healthy rules pass', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) expect(await checkContract(seed)).toBeUndefined()
  })

  it.each(CONTRACT_MUTANTS)(
    'catches $name',
    async (mutant) => {
      const { checkContract: check } = await exhibit('swap', mutant)
      const found: string[] = []
      for (let seed = 1; seed <= SEEDS && found.length === 0; seed += 1) {
        const wrong = await check(seed)
        if (wrong !== undefined) found.push(wrong)
      }
      expect(found, mutant.why).not.toEqual([])
    },
    TIMEOUT_MS,
  )
})
