import { describe, expect, it, vi } from 'vitest'
import type { Engine, EngineFactory, EngineHost, EngineRequest, EngineStart } from '../../plugins/consensus/index.js'
import { pbft } from '../../plugins/pbft/index.js'
import {
  ALL_KINDS,
  faultKinds,
  formatRun,
  makeTransaction,
  ModelWorld,
  type ModelWorldOptions,
  parseRun,
  parseScenario,
  planScenario,
  playScenario,
  recordRun,
  replayRun,
  type Scenario,
  shrinkScenario,
} from '../kit/index.js'
import { raftSkeleton } from './skeletons/raft.js'

// In real time, on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

type Script = (host: EngineHost, start: EngineStart) => Engine

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const bytesOf = (words: string): Uint8Array => Buffer.from(words)

function engineOf(script: Script): EngineFactory {
  const create: EngineFactory['create'] = (host, _options, start) => script(host, start)
  return { name: 'scripted', version: '1', agreement: true, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: (raw) => raw, create }
}

const later = (): unknown => Promise.resolve()

/** A running world of scripted engines, with links of 10 ms and writes of 2 ms. */
async function begin(script: Script, options: Partial<ModelWorldOptions> = {}): Promise<ModelWorld> {
  const engine = { factory: engineOf(script) }
  const links = { minDelayMs: 10, maxDelayMs: 10 }
  const world = new ModelWorld({ seed: 1, members: 2, engine, links, disk: { minWriteMs: 2, maxWriteMs: 2 }, hostsTalk: false, ...options })
  await world.start()
  await world.run(50)
  return world
}

/** What engines were told, in words. */
class Heard {
  readonly lines: string[] = []

  note(world: { readonly nowMs: number } | undefined, words: string): void {
    this.lines.push(world ? `${Math.round(world.nowMs)} ${words}` : words)
  }

  take(): string[] {
    return this.lines.splice(0)
  }
}

describe('the model of a host', () => {
  it('sends what a handler asks for when its records, and all earlier ones, are durable, in order', async () => {
    const heard = new Heard()
    const world = await begin((host) => ({
      onRequest({ id }) {
        host.broadcast(bytesOf('first'))
        host.put('record', bytesOf(id))
        host.setTimer('later', 1)
      },
      onTimer: () => host.broadcast(bytesOf('second')),
      onMessage: (from, bytes) => heard.note(world.time, `${host.self} from ${from}: ${text(bytes)}`),
    }))
    world.peer(0).submit(makeTransaction('one'))
    const atMs = world.time.nowMs
    await world.run(30)
    // 2 ms for the journal, 2 for the record, 10 on the way; the second is asked for at 3, and waits as well.
    expect(heard.take()).toEqual([`${atMs + 14} 1 from 0: first`, `${atMs + 14} 1 from 0: second`])
  })

  it('gives back after a power cut what was durable; of the write that was under way all or nothing', async () => {
    const lives = new Set<string>()
    for (let seed = 1; seed <= 12; seed += 1) {
      const restored: string[] = []
      const world = await begin(
        (host, start) => {
          restored.push([...start.restored.keys()].join())
          return {
            onRequest() {
              host.put('z', bytesOf('last'))
              host.put('a', bytesOf('first'))
              host.delete('gone')
            },
          }
        },
        { members: 1, seed },
      )
      const peer = world.peer(0)
      peer.submit(makeTransaction('one'))
      // The journal takes 2 ms, and so do the records.
      await world.run(3)
      peer.crash('power')
      peer.start()
      await world.run(40)
      peer.crash('power')
      peer.start()
      await world.run(40)
      lives.add(restored.join(' | '))
    }
    // The request comes again, and its records are written in the second life.
    expect([...lives].sort()).toEqual([' |  | a,z', ' | a,z | a,z'])
  })

  it('gives an engine its requests again after a kill, in the order of submission', async () => {
    const heard = new Heard()
    const world = await begin((host) => ({
      onRequest: ({ bytes }) => heard.note(undefined, `${host.self} ${text(bytes).replace(/[^a-z].*/s, '') || text(bytes).length}`),
    }))
    for (const name of ['b', 'a', 'c']) world.peer(0).submit(makeTransaction(name))
    await world.run(20)
    const before = heard.take()
    world.peer(0).crash('kill')
    world.peer(0).start()
    await world.run(20)
    expect(before).toHaveLength(3)
    expect(heard.take()).toEqual(before)
  })

  it('makes blocks of what is delivered: what fails is named, what is there already is left out, and the record of the block is in its write', async () => {
    const heard = new Heard()
    const requests: EngineRequest[] = []
    const world = await begin(
      (host, start) => {
        heard.note(undefined, `begins at ${start.head.height} with ${[...start.restored.keys()].join()} and ${start.executed?.length} executed`)
        return {
          onRequest(request) {
            requests.push(request)
            if (requests.length === 3)
              host.deliver('tag', [...requests, ...requests.slice(0, 1), { id: 'x', bytes: bytesOf('\0none') }], { put: [['with', bytesOf('it')]] })
          },
          onDelivered: (tag, block) =>
            heard.note(
              undefined,
              block === 'skipped' ? `${tag} skipped` : `${tag} block ${block.number}, head ${host.head.height}, rejected ${block.rejected?.length}`,
            ),
        }
      },
      { members: 1 },
    )
    world.peer(0).submit(makeTransaction('one'))
    world.peer(0).submit(makeTransaction('two'))
    world.peer(0).submit(makeTransaction('bad', { fails: true }))
    await world.run(20)
    expect(
      world
        .peer(0)
        .chain?.at(-1)
        ?.transactions.map(({ txid }) => txid),
    ).toEqual(['one', 'two'])
    expect(world.peer(0).pendingRequests).toBe(0)
    world.peer(0).crash('kill')
    world.peer(0).start()
    await world.run(20)
    expect(heard.take()).toEqual(['begins at 1 with  and 0 executed', 'tag block 1, head 2, rejected 1', 'begins at 2 with with and 2 executed'])
    await world.checkAll()
  })

  it('executes into one open batch, which is committed or rolled back', async () => {
    const heard = new Heard()
    const requests: EngineRequest[] = []
    const hash = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString('hex', 0, 4) : 'none')
    const world = await begin(
      (host) => ({
        onRequest(request) {
          requests.push(request)
          if (requests.length < 2) return
          host.execute('first', requests.slice(0, 1))
          host.rollback()
          host.execute('again', requests.slice(0, 1))
          host.execute('more', requests.slice(1))
          host.commit('done', bytesOf('metadata'))
        },
        onExecuted: (tag, { stateHash, outcomes }) => heard.note(undefined, `${tag} ${hash(stateHash)} ${outcomes.map(({ succeeded }) => succeeded).join()}`),
        onDelivered: (tag, block) => heard.note(undefined, `${tag} ${block === 'skipped' ? block : hash(block.stateHash)}`),
      }),
      { members: 1 },
    )
    world.peer(0).submit(makeTransaction('one'))
    world.peer(0).submit(makeTransaction('two'))
    await world.run(20)
    const [first, again, more, done] = heard.take().map((line) => line.split(' '))
    expect([first?.[0], again?.[0], more?.[0], done?.[0]]).toEqual(['first', 'again', 'more', 'done'])
    expect(first?.[1]).toBe(again?.[1])
    expect(more?.[1]).toBe(done?.[1])
    expect(more?.[1]).not.toBe(again?.[1])
    expect(text(world.peer(0).chain?.at(-1)?.metadata ?? bytesOf(''))).toBe('metadata')
  })

  it('transfers the state from the chain of another, skips what it overtakes, and says the open requests again', async () => {
    const heard = new Heard()
    const world = await begin((host) => ({
      onRequest(request) {
        if (host.self === 0) host.deliver(request.id.slice(0, 4), [request])
        else heard.note(undefined, 'request')
      },
      onMessage() {
        const head = world.peer(0).chain?.at(-1)?.head
        if (!head) return
        // The one that has begun is carried out; what waits is overtaken.
        host.transferTo({ height: head.height, hash: head.hash, members: [] })
      },
      onDelivered(_tag, block) {
        if (host.self === 0 && block !== 'skipped' && block.number === 2n) host.broadcast(bytesOf('come'))
      },
      onTransferred: (result) =>
        heard.note(undefined, result.reached ? `reached ${result.head.height}, ${result.executed?.length} executed, head ${host.head.height}` : result.reason),
    }))
    world.peer(1).submit(makeTransaction('own'))
    await world.run(10)
    for (const name of ['one', 'two']) world.peer(0).submit(makeTransaction(name))
    await world.run(200)
    expect(heard.take()).toEqual(['request', 'reached 3, 2 executed, head 3', 'request'])
    expect(world.peer(1).chain).toEqual(world.peer(0).chain)
    await world.checkAll()
  })

  it('never fires a timer that was set again or cancelled; one without delay fires after what the moment brought', async () => {
    const heard = new Heard()
    const world = await begin(
      (host) => ({
        onRequest() {
          host.setTimer('again', 1)
          host.setTimer('never', 1)
          host.setTimer('now', 0)
          host.setTimer('again', 5)
          host.cancelTimer('never')
          host.sign('token', bytesOf('signed'))
        },
        onTimer: (name) => heard.note(world.time, name),
        onSigned(token, signature) {
          heard.note(world.time, token)
          host.verify('both', [
            { member: 0, bytes: bytesOf('signed'), signature },
            { member: 0, bytes: bytesOf('other'), signature },
          ])
        },
        onVerified: (token, verdicts) => heard.note(world.time, `${token} ${verdicts.join()}`),
      }),
      { members: 1 },
    )
    const atMs = world.time.nowMs + 2
    world.peer(0).submit(makeTransaction('one'))
    await world.run(30)
    expect(heard.take()).toEqual([`${atMs} now`, `${atMs} token`, `${atMs} both true,false`, `${atMs + 5} again`])
  })

  it('tells of links that go and come, and loses what was on its way', async () => {
    const heard = new Heard()
    const world = await begin((host) => ({
      onRequest: () => host.broadcast(bytesOf('lost')),
      onMessage: (_from, bytes) => heard.note(undefined, text(bytes)),
      onPeer: (member, up) => heard.note(undefined, `${host.self}: ${member} ${up ? 'up' : 'down'}`),
    }))
    expect(heard.take().sort()).toEqual(['0: 1 up', '1: 0 up'])
    world.peer(0).submit(makeTransaction('one'))
    await world.run(5)
    world.links.partition([[0], [1]])
    world.links.unite()
    await world.run(30)
    expect(heard.take().sort()).toEqual(['0: 1 down', '0: 1 up', '1: 0 down', '1: 0 up'])
  })

  it('begins an engine anew on the chain of the others if it stays behind and nothing moves, unless the hosts are silent', async () => {
    for (const hostsTalk of [true, false]) {
      let begun = 0
      const world = await begin(
        (host) => {
          if (host.self === 1) begun += 1
          return { onRequest: (request) => host.deliver('tag', [request]) }
        },
        { hostsTalk },
      )
      world.peer(0).submit(makeTransaction('one'))
      await world.run(8000)
      expect([begun, world.peer(1).chain?.length]).toEqual(hostsTalk ? [2, 2] : [1, 1])
    }
  })

  it.each<[string, Script, RegExp]>([
    ['throws', () => ({ onRequest: () => expect.unreachable('no') }), /^contract: vp0 is halted: the engine threw in 'request'/],
    ['returns a promise', () => ({ onRequest: () => later() }), /^contract: vp0 is halted: .* promise/],
    ['halts', (host) => ({ onRequest: () => host.halt('enough') }), /^contract: vp0 is halted: enough/],
    [
      'waits for too many deliveries',
      (host) => ({ onRequest: (request) => Array.from({ length: 9 }, () => host.deliver('tag', [request])).length }),
      /^contract: .* 8 deliveries/,
    ],
    ['commits nothing', (host) => ({ onRequest: () => host.commit('tag') }), /^contract: .* without an open batch/],
    [
      'asks for timers without end',
      (host) => ({ onRequest: () => host.setTimer('now', 0), onTimer: () => host.setTimer('now', 0) }),
      /^contract: .* time cannot pass/,
    ],
    [
      'asks without end for what is answered at once',
      (host) => ({ onRequest: () => host.execute('tag', []), onExecuted: () => (host.rollback(), host.execute('tag', [])) }),
      /^contract: .* time cannot pass/,
    ],
    [
      'votes twice',
      (host) => ({ onRequest: () => ['a', 'b'].forEach((value) => host.broadcast(bytesOf(value), { vote: { slot: '1', value } })) }),
      /^safety: vp0 voted twice/,
    ],
  ])('ends with what broke if an engine %s', async (_name, script, expected) => {
    const world = await begin(script)
    world.peer(0).submit(makeTransaction('one'))
    const broken = await world.run(100).then(
      () => 'nothing',
      (error: unknown) => (error instanceof Error && 'kind' in error ? `${String(error.kind)}: ${error.message}` : String(error)),
    )
    expect(broken).toMatch(expected)
  })

  it('sees that two members have different blocks', async () => {
    const world = await begin((host) => ({ onRequest: (request) => host.deliver('tag', [request]) }))
    world.peer(0).submit(makeTransaction('one'))
    world.peer(1).submit(makeTransaction('two'))
    await expect(world.run(100)).rejects.toThrow(/vp[01] has another block 1 than the first member that had one/)
  })

  it('ends a peer whose disk fails, whatever was on its way', async () => {
    const world = await begin((host) => ({ onRequest: () => host.put('key', bytesOf('value')) }))
    world.peer(0).disk.failNextWrite('EIO', 1)
    world.peer(0).submit(makeTransaction('one'))
    await world.run(30)
    expect([world.peer(0).isUp, world.peer(1).isUp]).toEqual([false, true])
    world.peer(0).start()
    await world.run(30)
    expect([world.peer(0).isRunning, world.peer(0).pendingRequests]).toEqual([true, 1])
  })
})

const plan = (seed: number, more: Partial<Parameters<typeof planScenario>[0]> = {}): Scenario =>
  planScenario({ seed, members: 4, tolerates: pbft.tolerates(4), faults: ALL_KINDS, fidelity: 'logical', expect: 'safety', ...more })

describe('logical runs', () => {
  it('are the same for the same seed, byte for byte', async () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const [first, second] = [
        await playScenario({ factory: pbft }, plan(seed), { trace: true }),
        await playScenario({ factory: pbft }, plan(seed), { trace: true }),
      ]
      expect(first.failure?.message).toBeUndefined()
      expect(first.trace.lines.length).toBeGreaterThan(100)
      expect(first.trace.lines).toEqual(second.trace.lines)
    }
  })

  it('say of an engine what runs with the real host say', async () => {
    const lazy: EngineFactory = { ...raftSkeleton, create: (host, _options, start) => ({ ...dropsMessages(host, start) }) }
    for (const [factory, expected] of [
      [raftSkeleton, undefined],
      [lazy, 'liveness'],
    ] as const) {
      for (let seed = 1; seed <= 4; seed += 1) {
        const scenario = planScenario({ seed, members: 3, tolerates: raftSkeleton.tolerates(3), faults: faultKinds('inside'), patienceMs: 20_000 })
        const kinds: unknown[] = []
        for (const fidelity of ['host', 'logical'] as const) kinds.push((await playScenario({ factory }, { ...scenario, fidelity })).failure?.kind)
        expect(kinds).toEqual([expected, expected])
      }
    }
  })

  it('are made smaller, recorded and compared as others are', async () => {
    const calm = plan(3, { faults: [], requests: 3, expect: 'progress', patienceMs: 3000 })
    const run = parseRun(formatRun(await recordRun({ factory: pbft }, calm)))
    expect(run.lives).toHaveLength(4)
    expect(replayRun({ factory: pbft }, run)).toEqual([])
    const deaf: EngineFactory = { ...raftSkeleton, create: () => ({}) }
    const { scenario } = await shrinkScenario({ factory: deaf }, { ...calm, members: 3 }, 'liveness', { maxRuns: 40 })
    expect(scenario.fidelity).toBe('logical')
    expect(scenario.requests).toEqual([])
  })

  it('bear real signatures', async () => {
    const { failure } = await playScenario({ factory: pbft }, plan(5, { signatures: 'p256', faults: ['partition', 'kill'], expect: 'progress' }))
    expect(failure?.message).toBeUndefined()
  })

  it('have no succession of engines, and say so', async () => {
    const swap = plan(1, { faults: [], swaps: { engines: [{ name: 'pbft' }, { name: 'raft-skeleton' }], count: 1 } })
    await expect(playScenario({ factory: pbft, successors: [{ factory: raftSkeleton }] }, swap)).rejects.toMatchObject({ code: 'ERR_SIMULATION_SCENARIO' })
  })

  it('are named by a word of their own in files; older files named the ledger, below a real host', () => {
    const { fidelity: _, ...rest } = plan(1)
    expect(parseScenario(JSON.stringify(plan(1))).fidelity).toBe('logical')
    expect(parseScenario(JSON.stringify({ ...rest, ledger: 'real' })).fidelity).toBe('full')
    expect(parseScenario(JSON.stringify({ ...rest, ledger: 'logical' })).fidelity).toBe('host')
    expect(() => parseScenario(JSON.stringify({ ...rest, fidelity: 'some' }))).toThrow('fidelity')
  })
})

/** Raft that hears nothing once it has seen three blocks. */
function dropsMessages(host: EngineHost, start: EngineStart): Engine {
  const engine = raftSkeleton.create(host, undefined, start)
  return {
    onRequest: (request) => engine.onRequest?.(request),
    onMessage: (from, bytes) => host.head.height < 4n && engine.onMessage?.(from, bytes),
    onPeer: (member, up) => engine.onPeer?.(member, up),
    onTimer: (name) => engine.onTimer?.(name),
    onDelivered: (tag, block) => engine.onDelivered?.(tag, block),
    onTransferred: (result) => engine.onTransferred?.(result),
  }
}
