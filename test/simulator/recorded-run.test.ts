import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { pbft } from '../../plugins/pbft/index.js'
import { faultKinds, formatRun, parseRun, planScenario, recordRun, replayRun } from '../kit/index.js'
import { hostWith } from '../kit/host-with.js'
import { raftSkeleton } from './skeletons/raft.js'

// In real time, on a busy machine.
const record = (factory: EngineFactory, members: number, seed: number): ReturnType<typeof recordRun> =>
  recordRun({ factory }, planScenario({ seed, members, tolerates: factory.tolerates(members), faults: faultKinds('inside') }))

/** The raft skeleton of another version: its elections begin later. */
const patient: EngineFactory = {
  ...raftSkeleton,
  version: '2.0.0',
  create: (host, _options, start) => {
    const slower = hostWith(host, { setTimer: (name, ms) => host.setTimer(name, name === 'election' ? ms + 1 : ms) })
    return raftSkeleton.create(slower, undefined, start)
  },
}

/** One that throws when it is told of a message. */
const fragile: EngineFactory = {
  ...raftSkeleton,
  create(host, _options, start) {
    const engine = raftSkeleton.create(host, undefined, start)
    return {
      onPeer: (member, up) => engine.onPeer?.(member, up),
      onTimer: (name) => engine.onTimer?.(name),
      onMessage: () => {
        throw new Error('no')
      },
    }
  },
}

describe('a recorded run', () => {
  it.each<[string, EngineFactory, number]>([
    ['raft', raftSkeleton, 3],
    ['pbft', pbft, 4],
  ])('of %s survives being written and read, and the same engine asks for the same', async (_, factory, members) => {
    const run = await record(factory, members, 3)
    const text = formatRun(run)
    const read = parseRun(text)
    expect(formatRun(read)).toBe(text)
    expect(read.lives.length).toBeGreaterThanOrEqual(members)
    expect(read.lives.reduce((calls, life) => calls + life.calls.length, 0)).toBeGreaterThan(200)
    expect(read.engine).toMatchObject({ name: factory.name, version: factory.version })
    expect(replayRun({ factory }, read)).toEqual([])
  })

  it('shows where another version first asks for something else', async () => {
    const run = parseRun(formatRun(await record(raftSkeleton, 3, 3)))
    const [first] = replayRun({ factory: patient }, run)
    expect(first).toMatchObject({ recorded: expect.stringContaining('setTimer name=election'), found: expect.stringContaining('setTimer name=election') })
    expect(first?.text).toMatch(/^vp\d, call \d+ \(.*\): asked for setTimer .* when it was recorded, and for setTimer .* now$/)
    expect(replayRun({ factory: fragile }, run)[0]?.found).toBe("throwing 'no'")
  })

  it('rejects with the failure of a run that fails', async () => {
    const mute: EngineFactory = { ...raftSkeleton, create: () => ({}) }
    const scenario = { ...planScenario({ seed: 1, members: 3, tolerates: raftSkeleton.tolerates(3), faults: [] }), patienceMs: 500 }
    await expect(recordRun({ factory: mute }, scenario)).rejects.toMatchObject({ kind: 'liveness' })
  })

  it.each([
    ['', 'line 1: expected JSON'],
    ['{"format":"other"}', 'line 1: expected a line with "format": "weft-recording/1"'],
    ['{"format":"weft-recording/1","engine":{"name":"a","version":"1"}}\n{"call":{}}', 'line 2: expected a "life" or, after one, a "call"'],
    ['{"format":"weft-recording/1","engine":{"name":"a","version":"1"}}\nnull', 'line 2: expected an object'],
  ])('that is none (%j) is refused with the line', (text, expected) => {
    expect(() => parseRun(text)).toThrow(expected)
  })
})
