import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../../plugins/consensus/index.js'
import { runScenario } from '../scenario.js'

const SEEDS = Number(process.env['WEFT_SKELETON_SEEDS'] ?? 20)

/** In real time, on a busy machine. */
const TIMEOUT_MS = 300_000

/** What every skeleton has to do behind the engine interface, in networks of these sizes; the first one is played twice. */
export function behavesAsAnEngine(name: string, factory: EngineFactory, sizes: readonly [number, ...number[]]): void {
  describe(`the ${name} skeleton behind the engine interface`, () => {
    for (const members of sizes) {
      it(
        `orders requests of every member through crashes and broken links, with ${members} members and ${SEEDS} seeds`,
        async () => {
          for (let seed = 1; seed <= SEEDS; seed += 1) {
            try {
              await runScenario(factory, { seed, members, transactions: 12, crashes: 2, breaks: seed % 2 === 0, blackout: seed % 3 === 0 })
            } catch (cause) {
              throw new Error(`seed ${seed}`, { cause })
            }
          }
        },
        TIMEOUT_MS,
      )
    }

    it('gives the same run for the same seed, byte for byte', async () => {
      const scenario = { seed: 7, members: sizes[0], transactions: 12, crashes: 2, breaks: true, trace: true }
      const first = await runScenario(factory, scenario)
      const second = await runScenario(factory, scenario)
      expect(first.trace.lines.length).toBeGreaterThan(400)
      expect(second.trace.lines).toEqual(first.trace.lines)
    })
  })
}
