import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../../plugins/consensus/index.js'
import { pbft } from '../../../plugins/pbft/engine.js'
import { hotStuffSkeleton } from '../../simulator/skeletons/hotstuff.js'
import { raftSkeleton } from '../../simulator/skeletons/raft.js'
import { logicalWorld } from '../../kit/worlds.js'
import { Simulation } from '../../kit/simulation.js'
import { makeTransaction } from '../../kit/transactions.js'

const PBFT_OPTIONS = { 'timeout.request': '1s', 'timeout.viewchange': '1s', 'timeout.batch': '20ms' }

function networkOf(seed: number, first: EngineFactory, successors: readonly EngineFactory[], trace = false) {
  return new Simulation({
    seed,
    members: 4,
    engine: { factory: first, options: first.name === 'pbft' ? PBFT_OPTIONS : {} },
    successors,
    trace,
    ...logicalWorld,
  })
}

async function swapTo(network: ReturnType<typeof networkOf>, member: number, engine: string, options: Record<string, unknown> = {}): Promise<void> {
  const host = network.peer(member).host
  if (!host) throw new Error('no host')
  const planning = host.swaps.plan({ engine, options, allowWeaker: true })
  let isPlanned = false
  const planned = planning.then(async (plan) => {
    expect(plan.objection).toBeUndefined()
    await host.swaps.propose(plan.proposal)
    isPlanned = true
  })
  await network.runUntil('proposed', () => isPlanned, 10_000)
  await planned
}

describe('a swap of the engine', () => {
  it('happens at one height on every validator, and loses nothing', async () => {
    const network = networkOf(1, pbft, [raftSkeleton, hotStuffSkeleton])
    await network.start()
    let sent = 0
    const submit = (count: number): void => {
      for (let each = 0; each < count; each++) network.peer(sent % 4).submit(makeTransaction(`t${sent++}`))
    }
    submit(10)
    await network.run(500)
    for (const [round, engine] of [raftSkeleton.name, hotStuffSkeleton.name, 'pbft', raftSkeleton.name].entries()) {
      submit(10)
      await swapTo(network, round % 4, engine, engine === 'pbft' ? PBFT_OPTIONS : {})
      submit(10)
      await network.runUntil(`everybody runs ${engine}`, () => network.peers.every(({ host }) => host?.status().epoch === BigInt(round + 1)), 20_000)
      submit(10)
      await network.runUntil('all committed', () => network.invariants.unfinished().length === 0, 20_000)
    }
    const records = network.peers.map(({ host }) => host?.swaps.view().record.activation)
    expect(new Set(records).size).toBe(1)
    await network.runUntil('nobody seals any more', () => network.peers.every(({ host }) => host?.swaps.view().isSealing === false), 20_000)
  })
})
