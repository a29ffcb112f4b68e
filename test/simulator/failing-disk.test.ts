import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { noops } from '../../plugins/noops/index.js'
import { createLevelDisk, type Fault, type Fidelity, makeTransaction, planScenario, playScenario, realWorld, Simulation } from '../kit/index.js'
import { pbftSkeleton } from './skeletons/pbft.js'
import { raftSkeleton } from './skeletons/raft.js'

// In real time, on a busy machine.
describe('disks that fail under a running network', () => {
  it.each<[EngineFactory, number, Fidelity]>([
    [raftSkeleton, 3, 'host'],
    [pbftSkeleton, 4, 'full'],
    [noops, 1, 'full'],
  ])('end their validators, who come back and lose nothing ($0.name, $1 validators, fidelity $2)', async (factory, members, fidelity) => {
    const ends = { ENOSPC: 0, EIO: 0 }
    for (let seed = 1; seed <= 25; seed += 1) {
      const scenario = planScenario({ seed, members, tolerates: factory.tolerates(members), faults: ['failing-disk', 'failing-disk', 'power'], fidelity })
      const { failure, trace } = await playScenario({ factory }, scenario, { trace: true })
      expect(failure?.message).toBeUndefined()
      const died = trace.lines.filter((line) => line.endsWith('crashes (disk)')).length
      const fault = scenario.faults.find(({ kind }) => kind === 'failing-disk')
      if (died > 0 && fault?.kind === 'failing-disk') ends[fault.error] += 1
    }
    expect(ends.ENOSPC).toBeGreaterThan(2)
    expect(ends.EIO).toBeGreaterThan(2)
  })

  it('kill a validator once, and it comes back with what was written', async () => {
    const fault: Fault = { kind: 'failing-disk', atMs: 100, forMs: 300, member: 1, error: 'ENOSPC', afterWrites: 0 }
    const calm = planScenario({ seed: 5, members: 3, tolerates: raftSkeleton.tolerates(3), faults: [], requests: 20 })
    const { failure, trace } = await playScenario({ factory: raftSkeleton }, { ...calm, faults: [fault] }, { trace: true })
    expect(failure?.message).toBeUndefined()
    expect(trace.lines.filter((line) => /vp\d (crashes|starts)/.test(line)).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'vp0 starts',
      'vp1 starts',
      'vp2 starts',
      'vp1 crashes (disk)',
      'vp1 starts',
    ])
    expect(trace.lines.some((line) => line.includes('begins: the disk of vp1 fails (ENOSPC)'))).toBe(true)
  })

  it.each(['ENOSPC', 'EIO'] as const)('also with the real store (%s)', async (error) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const simulation = new Simulation({
        seed,
        members: 3,
        engine: { factory: raftSkeleton },
        ...realWorld,
        makeDisk: (time, random) => createLevelDisk(time, random, { minWriteMs: 0.5, maxWriteMs: 3 }),
      })
      await simulation.start()
      const peer = simulation.peer(seed % 3)
      peer.disk.failNextWrite(error, seed)
      for (let number = 0; number < 10; number += 1) simulation.peer((seed + 1 + (number % 2)) % 3).submit(makeTransaction(`t${number}`))
      await simulation.runUntil('its disk has ended it', () => !peer.isUp, 10_000)
      peer.start()
      await simulation.runUntil(
        'all have all',
        () => simulation.invariants.acceptedCount === 10 && simulation.invariants.missing([0, 1, 2]).length === 0,
        30_000,
      )
      await simulation.checkAll()
    }
  })
})
