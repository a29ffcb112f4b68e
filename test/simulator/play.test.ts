import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { ALL_KINDS, faultKinds, keepFailure, parseScenario, planScenario, playScenario, type Scenario, shrinkScenario } from '../kit/index.js'
import { raftSkeleton } from './skeletons/raft.js'

// In real time, on a busy machine.
const MEMBERS = 3
const plan = (seed: number): Scenario => planScenario({ seed, members: MEMBERS, tolerates: raftSkeleton.tolerates(MEMBERS), faults: faultKinds('inside') })

/** Raft that stops voting for good once it has made five blocks. */
const tired: EngineFactory = {
  ...raftSkeleton,
  create(host, _options, start) {
    const engine = raftSkeleton.create(host, undefined, start)
    return {
      onRequest: (request) => engine.onRequest?.(request),
      onMessage: (from, bytes) => host.head.height < 6n && engine.onMessage?.(from, bytes),
      onPeer: (member, up) => engine.onPeer?.(member, up),
      onTimer: (name) => engine.onTimer?.(name),
      onDelivered: (tag, block) => engine.onDelivered?.(tag, block),
    }
  },
}

describe('scenarios', () => {
  it('are the same for the same seed, and plain JSON', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      expect(plan(seed)).toEqual(plan(seed))
      expect(parseScenario(JSON.stringify(plan(seed)))).toEqual(plan(seed))
    }
    expect(plan(1)).not.toEqual(plan(2))
  })

  it('have every kind of fault, within what the engine tolerates', () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 400; seed += 1) {
      const { faults } = planScenario({ seed, members: 7, tolerates: { crashed: 2, byzantine: 2 } })
      for (const { kind } of faults) seen.add(kind)
      const gone = new Set(faults.flatMap((fault) => ('member' in fault && ['dead', 'twins', 'mutate'].includes(fault.kind) ? [fault.member] : [])))
      expect(gone.size).toBeLessThanOrEqual(2)
    }
    expect([...seen].sort()).toEqual([...ALL_KINDS].sort())
  })

  it('with aftershocks keep to what the engine tolerates, and have requests while the cut moves', () => {
    const kinds = new Set<string>()
    for (let seed = 1; seed <= 200; seed += 1) {
      const options = { seed, members: 5, tolerates: { crashed: 2, byzantine: 0 }, faults: [], aftershocks: 1 }
      const scenario = planScenario(options)
      expect(planScenario(options)).toEqual(scenario)
      expect(parseScenario(JSON.stringify(scenario))).toEqual(scenario)
      expect(scenario.faults.length).toBeGreaterThan(1)
      for (const fault of scenario.faults) {
        kinds.add(fault.kind)
        if (fault.kind === 'partition') expect([fault.groups.length, fault.groups.flat().length, (fault.groups[0] ?? []).length <= 2]).toEqual([2, 5, true])
      }
      expect(new Set(scenario.faults.flatMap((fault) => (fault.kind === 'dead' ? [fault.member] : []))).size).toBeLessThanOrEqual(2)
      for (const { atMs } of [...scenario.requests, ...scenario.faults]) expect(atMs).toBeLessThanOrEqual(scenario.durationMs + 500)
    }
    expect([...kinds].sort()).toEqual(['blackout', 'dead', 'kill', 'partition', 'power', 'slow-disk'])
  })

  it('without them, or where nobody may fail, are what they were', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      expect(planScenario({ seed, members: 3, tolerates: { crashed: 1, byzantine: 0 }, aftershocks: 0 })).toEqual(
        planScenario({ seed, members: 3, tolerates: { crashed: 1, byzantine: 0 } }),
      )
      expect(planScenario({ seed, members: 4, tolerates: { crashed: 0, byzantine: 0 }, aftershocks: 1 })).toEqual(
        planScenario({ seed, members: 4, tolerates: { crashed: 0, byzantine: 0 } }),
      )
    }
  })

  it('that are none are refused with what was expected', () => {
    expect(() => parseScenario('{')).toThrow(/expected JSON/)
    expect(() => parseScenario('{"format":"weft-scenario/1"}')).toThrow(/no scenario: expected an object/)
    expect(() => parseScenario(JSON.stringify({ ...plan(1), engine: { name: 'raft' } }))).toThrow(/"engine": expected an object with name and version/)
    expect(() => parseScenario(JSON.stringify({ ...plan(1), faults: [{ kind: 'flood', atMs: 1, forMs: 1 }] }))).toThrow(/found 'flood'/)
  })
})

describe('a run', () => {
  it('is the same for the same scenario, byte for byte, whatever the faults', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const scenario = planScenario({
        seed,
        members: 4,
        tolerates: { crashed: 1, byzantine: 1 },
        expect: 'safety',
        fidelity: seed % 2 === 0 ? 'full' : 'host',
      })
      const [first, second] = [
        await playScenario({ factory: raftSkeleton }, scenario, { trace: true }),
        await playScenario({ factory: raftSkeleton }, scenario, { trace: true }),
      ]
      expect(first.trace.lines.length).toBeGreaterThan(100)
      expect(second.trace.lines).toEqual(first.trace.lines)
    }
  })

  it('has what an engine logs in its trace', async () => {
    const factory: typeof raftSkeleton = {
      ...raftSkeleton,
      create(host, options, start) {
        host.log('warning', 'begins\nanew')
        return raftSkeleton.create(host, options, start)
      },
    }
    const { trace } = await playScenario({ factory }, plan(3), { trace: true })
    expect(trace.lines).toContainEqual(expect.stringMatching(/^\d+\.\d{3} vp0 logs warning "begins\\nanew"$/))
  })

  it('with real signatures ends well', async () => {
    const { failure } = await playScenario({ factory: raftSkeleton }, { ...plan(3), signatures: 'p256', fidelity: 'full' })
    expect(failure).toBeUndefined()
  })

  it('tells safety, liveness and contract apart', async () => {
    const throws: EngineFactory = { ...raftSkeleton, create: () => ({ onRequest: () => expect.unreachable('an engine must not throw') }) }
    const spins: EngineFactory = { ...raftSkeleton, create: (host) => (host.setTimer('again', 0), { onTimer: () => host.setTimer('again', 0) }) }
    const alone: EngineFactory = { ...raftSkeleton, create: (host) => ({ onRequest: (request) => host.deliver('mine', [request]) }) }
    const idle: EngineFactory = { ...raftSkeleton, create: () => ({}) }
    const kindOf = async (factory: EngineFactory): Promise<string | undefined> =>
      (await playScenario({ factory }, { ...plan(1), faults: [], patienceMs: 5000 })).failure?.kind
    expect(await kindOf(throws)).toBe('contract')
    expect(await kindOf(spins)).toBe('contract')
    expect(await kindOf(alone)).toBe('safety')
    expect(await kindOf(idle)).toBe('liveness')
  })
})

describe('a failing scenario', () => {
  it('is made smaller, and fails in the same way', async () => {
    const scenario = {
      ...planScenario({ seed: 5, members: MEMBERS, tolerates: raftSkeleton.tolerates(MEMBERS), faults: ['delay', 'clock'] }),
      patienceMs: 5000,
    }
    const { failure } = await playScenario({ factory: tired }, scenario)
    expect(failure?.kind).toBe('liveness')
    const { scenario: smallest } = await shrinkScenario({ factory: tired }, scenario, 'liveness', { maxRuns: 60 })
    expect(smallest.faults).toEqual([])
    expect(smallest.requests.length).toBeLessThan(scenario.requests.length)
    expect((await playScenario({ factory: tired }, smallest)).failure?.kind).toBe('liveness')
  })

  it('is written down, to be played again, and drawn', async () => {
    const scenario = { ...plan(5), patienceMs: 5000 }
    const { failure } = await playScenario({ factory: tired }, scenario)
    if (!failure) expect.unreachable('it tires')
    const directory = join(tmpdir(), `weft-play-test-${process.pid}`)
    try {
      const files = await keepFailure({ factory: tired }, { seed: 5, scenario, failure }, { directory, name: 'tired', maxRuns: 10 })
      expect(parseScenario(await readFile(files.scenarioFile, 'utf8'))).toEqual(files.scenario)
      const page = await readFile(files.diagramFile, 'utf8')
      expect(page).toMatch(/<span class="verdict liveness">/)
      expect(page).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=/)
      const data: { messages: unknown[]; marks: unknown[]; lanes: string[] } = JSON.parse(
        /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? '',
      )
      expect(data.lanes).toEqual(['vp0', 'vp1', 'vp2'].slice(0, files.scenario.members))
      expect(data.messages.length).toBeGreaterThan(0)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
