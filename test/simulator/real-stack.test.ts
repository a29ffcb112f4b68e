import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { pbft } from '../../plugins/pbft/index.js'
import { createLevelDisk, createRandom, makeTransaction, realWorld, Simulation, watchBytes } from '../kit/index.js'
import { hotStuffSkeleton } from './skeletons/hotstuff.js'
import { pbftSkeleton } from './skeletons/pbft.js'
import { raftSkeleton } from './skeletons/raft.js'

/** Power cuts of single members while requests arrive, on the real store and the real ledger. */
async function run(factory: EngineFactory, members: number, seed: number): Promise<readonly string[]> {
  const simulation = new Simulation({
    seed,
    members,
    // The host, the store and the ledger leave alone what they are given, as engines have to.
    engine: { factory: watchBytes(factory) },
    ...realWorld,
    makeDisk: (time, random) => createLevelDisk(time, random, { minWriteMs: 0.5, maxWriteMs: 3 }),
    trace: true,
  })
  const random = createRandom(seed).fork('scenario')
  await simulation.start()
  for (let number = 0; number < 15; number += 1) {
    const up = simulation.peers.filter(({ host }) => host !== undefined)
    random.pick(up).submit(makeTransaction(`t${number}`))
    if (random.chance(0.2)) {
      const peer = random.pick(up)
      peer.crash('power')
      await simulation.run(random.between(0, 200))
      peer.start()
    }
    await simulation.run(random.between(0, 60))
  }
  const all = simulation.peers.map((_, index) => index)
  const isOver = (): boolean => simulation.invariants.missing(all).length === 0 && simulation.peers.every(({ host }) => host?.status().pendingRequests === 0)
  await simulation.runUntil('everything is in every chain and nobody waits', isOver, 15_000)
  await simulation.checkAll()
  const hashes = simulation.peers.map(({ ledger }) => Buffer.from(ledger?.stateHash() ?? new Uint8Array()).toString('hex'))
  expect(new Set(hashes).size).toBe(1)
  return simulation.trace.lines
}

// In real time, on a busy machine.
describe('engines on the real store and the real ledger', () => {
  const engines = [
    [raftSkeleton, 3],
    [pbftSkeleton, 4],
    [hotStuffSkeleton, 4],
    // Small windows, so that who was away has to have the state transferred.
    [{ ...pbft, parseOptions: () => pbft.parseOptions({ K: 2, logmultiplier: 4 }) }, 4],
  ] as const
  for (const [factory, members] of engines) {
    it(`${factory.name}: ends with equal state hashes, and the same seed gives the same run`, async () => {
      for (let seed = 1; seed <= 4; seed += 1) await run(factory, members, seed)
      expect(await run(factory, members, 1)).toEqual(await run(factory, members, 1))
    })
  }
})
