import { afterAll, expect, it } from 'vitest'
import { engineOf, leastTolerance } from '../museum/catch.js'
import { closeWorkshop, exhibit, SPECIMENS } from '../museum/mutant.js'
import type { CampaignResult, FaultKind } from '../kit/index.js'

// Each seed is another network. Thousands: npm run long -- swaps
const SEEDS = Number(process.env['WEFT_SWAP_SEEDS'] ?? 6)
/** In real time, on a busy machine. */
const TIMEOUT_MS = 600_000

afterAll(closeWorkshop)

/** Plays seeds of a network that swaps between the engines of a specimen. Resolves with what they gave and in how many of them somebody lied. */
async function play(
  name: 'route' | 'swap of liars',
  faults: readonly FaultKind[],
  firstSeed: number,
): Promise<CampaignResult & { readonly withLiars: number }> {
  const specimen = SPECIMENS[name]
  const made = await exhibit(name, undefined)
  const { members } = specimen
  const engines = [made.factory, ...made.successors]
  let withLiars = 0
  const result = await made.kit.runCampaign({
    engine: engineOf(specimen, made),
    plan: { members, tolerates: leastTolerance(engines, members), faults, swaps: { engines: engines.map((each) => ({ name: each.name })), count: 5 } },
    firstSeed,
    seeds: SEEDS,
    onSeed: (_, { failure }, scenario) => {
      if (scenario.faults.some(({ kind }) => LIES.includes(kind))) withLiars += 1
      return failure === undefined
    },
  })
  expect(result.failures.map(({ seed, failure }) => `seed ${seed}: ${failure.message}`)).toEqual([])
  return { ...result, withLiars }
}

const LIES: readonly FaultKind[] = ['twins', 'mutate', 'wipe', 'replay']

it(
  'a network that nothing happens to goes from the sequencer to pbft, raft, hotstuff and back',
  async () => {
    const { swaps } = await play('route', [], 1)
    expect(swaps.happened).toBeGreaterThan(SEEDS)
  },
  TIMEOUT_MS,
)

it(
  'pbft and hotstuff follow each other while one validator runs twice, sends nonsense, offers old requests, loses its disk',
  async () => {
    const { swaps, withLiars } = await play('swap of liars', [...LIES, 'partition', 'power', 'restart-engine', 'slow-disk'], 1)
    expect(swaps.happened).toBeGreaterThan(SEEDS / 2)
    expect(withLiars).toBeGreaterThanOrEqual(SEEDS / 2)
  },
  TIMEOUT_MS,
)
