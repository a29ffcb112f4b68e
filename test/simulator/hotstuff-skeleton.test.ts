import { describe, expect, it } from 'vitest'
import { runScenario } from './scenario.js'
import { hotStuffSkeleton } from './skeletons/hotstuff.js'

const SEEDS = Number(process.env['WEFT_SKELETON_SEEDS'] ?? 60)

/** In real time, on a busy machine. */
const TIMEOUT_MS = 300_000

describe('the chained HotStuff skeleton behind the engine interface', () => {
  for (const members of [4]) {
    it(
      `orders requests of every member through crashes and broken links, with ${members} members and ${SEEDS} seeds`,
      async () => {
        for (let seed = 1; seed <= SEEDS; seed += 1) {
          try {
            await runScenario(hotStuffSkeleton, { seed, members, transactions: 12, crashes: 2, breaks: seed % 2 === 0, blackout: seed % 3 === 0 })
          } catch (cause) {
            throw new Error(`seed ${seed}`, { cause })
          }
        }
      },
      TIMEOUT_MS,
    )
  }

  it('gives the same run for the same seed, byte for byte', async () => {
    const scenario = { seed: 7, members: 4, transactions: 12, crashes: 2, breaks: true, trace: true }
    const first = await runScenario(hotStuffSkeleton, scenario)
    const second = await runScenario(hotStuffSkeleton, scenario)
    expect(first.trace.lines.length).toBeGreaterThan(400)
    expect(second.trace.lines).toEqual(first.trace.lines)
  })
})
