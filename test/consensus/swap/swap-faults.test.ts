import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pbft } from '../../../plugins/pbft/engine.js'
import { type CampaignResult, type FaultKind, faultKinds, keepFailure, type PlanOptions, type PlayedEngine, runCampaign } from '../../kit/index.js'
import { disorderlyCandidate, haltingCandidate, silentCandidate } from '../../simulator/skeletons/candidates.js'
import { hotStuffSkeleton } from '../../simulator/skeletons/hotstuff.js'
import { pbftSkeleton } from '../../simulator/skeletons/pbft.js'
import { raftSkeleton } from '../../simulator/skeletons/raft.js'
import { QUICK_PBFT } from './quick-pbft.js'

/** `WEFT_SWAP_SEEDS=5000` for a long run. */
const SEEDS = Number(process.env['WEFT_SWAP_SEEDS'] ?? 0)
/** In real time, on a busy machine. */
const TIMEOUT_MS = 600_000

const PBFT = { factory: pbft, options: QUICK_PBFT }
/** The skeletons bear no liars. */
const OTHER_PBFT = { factory: { ...pbft, name: 'pbft-two' }, options: QUICK_PBFT }
const LIES = new Set<FaultKind>(['twins', 'mutate', 'wipe', 'replay'])
const skeleton = (factory: PlayedEngine['factory']): PlayedEngine => ({ factory, options: {} })

/** Plays seeds of networks that swap between engines; throws what broke first, with the smallest scenario that breaks so. */
async function campaign(
  engines: readonly [PlayedEngine, ...PlayedEngine[]],
  seeds: number,
  plan: Pick<PlanOptions, 'members'> & { readonly faults: readonly FaultKind[]; readonly count?: number } & Partial<PlanOptions>,
): Promise<CampaignResult & { readonly withLiars: number }> {
  const [first, ...successors] = engines
  const { members, count, ...rest } = plan
  const tolerances = engines.map(({ factory }) => factory.tolerates(members))
  const engine = { ...first, successors }
  let withLiars = 0
  const result = await runCampaign({
    engine,
    plan: {
      members,
      tolerates: { crashed: Math.min(...tolerances.map(({ crashed }) => crashed)), byzantine: Math.min(...tolerances.map(({ byzantine }) => byzantine)) },
      swaps: { engines: engines.map(({ factory }) => ({ name: factory.name })), ...(count === undefined ? {} : { count }) },
      ...rest,
    },
    firstSeed: 1,
    seeds: SEEDS || seeds,
    onSeed: (_, { failure }, scenario) => {
      if (scenario.faults.some(({ kind }) => LIES.has(kind))) withLiars += 1
      return failure === undefined
    },
  })
  const [failed] = result.failures
  if (failed) {
    const { scenarioFile } = await keepFailure(engine, failed, {
      directory: process.env['WEFT_KIT_OUT'] ?? join(tmpdir(), 'weft-testkit'),
      name: `swap-${failed.failure.kind}-seed-${failed.seed}`,
    })
    throw new Error(`seed ${failed.seed}: ${failed.failure.message}\n  smallest scenario: ${scenarioFile}`)
  }
  return { ...result, withLiars }
}

describe('swaps in the simulator', () => {
  it(
    'happen, and are cancelled, through crashes, partitions and slow disks',
    async () => {
      const { swaps } = await campaign([PBFT, skeleton(raftSkeleton), skeleton(hotStuffSkeleton)], 12, { members: 4, faults: faultKinds('inside'), count: 4 })
      expect(swaps.happened).toBeGreaterThan(swaps.prepared / 3)
      expect(swaps.cancelled).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  it(
    'bear a validator that runs twice, sends nonsense or loses its disk, in the messages of hosts too',
    async () => {
      const { swaps, withLiars } = await campaign([PBFT, OTHER_PBFT], 10, {
        members: 4,
        faults: [...faultKinds('inside', 'byzantine'), 'wipe', 'replay', 'restart-engine'],
        count: 3,
      })
      expect(swaps.happened).toBeGreaterThan(0)
      expect(withLiars).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  it(
    'bring who was away into the epoch of the others, several swaps later',
    async () => {
      const { swaps } = await campaign([PBFT, skeleton(raftSkeleton)], 5, {
        members: 5,
        faults: ['partition', 'kill', 'stop', 'power'],
        count: 6,
        durationMs: 9000,
      })
      expect(swaps.happened).toBeGreaterThan(5)
    },
    TIMEOUT_MS,
  )

  it(
    'are cancelled if the candidate fails its trial, and commits go on',
    async () => {
      const candidates = [silentCandidate, haltingCandidate, disorderlyCandidate].map(skeleton)
      const { swaps, accepted, blocks } = await campaign([PBFT, ...candidates], 6, { members: 4, faults: [], count: 2 })
      expect(swaps.cancelled).toBeGreaterThan(0)
      expect(accepted).toBeGreaterThan(0)
      expect(blocks).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  it(
    'hold on the real ledger with real signatures, and with repetitions executed',
    async () => {
      const { swaps } = await campaign([PBFT, skeleton(raftSkeleton)], 2, {
        members: 4,
        faults: ['power', 'partition'],
        count: 3,
        fidelity: 'full',
        signatures: 'p256',
      })
      expect(swaps.happened).toBeGreaterThan(0)
      await campaign([PBFT, skeleton(pbftSkeleton)], 4, { members: 4, faults: faultKinds('inside'), count: 3, repetitions: 'executed' })
    },
    TIMEOUT_MS,
  )
})
