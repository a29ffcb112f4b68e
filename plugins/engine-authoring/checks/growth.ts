import type { Check, CheckContext } from './check.js'
import { sizeOf } from './lives.js'

/** What an engine keeps of a chain that gets longer and longer. */
export function growthChecks({ kit, loaded, options, members }: CheckContext): Check[] {
  const { factory } = loaded
  return [
    {
      part: 'growth',
      name: 'keeps no more, in records and in memory, when its chain gets longer',
      kind: 'contract',
      run: async () => {
        const { perBlock, perRequest } = await kit.checkGrowth(factory, options, sizeOf(factory, members))
        return { detail: `at last ${perBlock} bytes more of memory for a block, and ${perRequest} for a request` }
      },
    },
  ]
}
