import { describe, expect, it } from 'vitest'
import type { EngineFactory } from 'weft/consensus'
import { logicalWorld, makeTransaction, Simulation, type SimulationOptions } from 'weft/testkit'
import { hotstuff } from '../src/index.js'

type World = Simulation<typeof logicalWorld extends { openLedger: (...args: never[]) => Promise<infer L> } ? L : never>

async function network(seed: number, options: Partial<Pick<SimulationOptions<never>, 'signer' | 'engine'>> = {}): Promise<World> {
  const engine = { factory: hotstuff, options: { viewTimeoutMs: 500 } }
  const simulation = new Simulation({ seed, members: 4, engine, ...logicalWorld, ...options })
  await simulation.start()
  return simulation
}

async function commit(simulation: World, member: number, name: string, at = [0, 1, 2, 3]): Promise<void> {
  simulation.peer(member).submit(makeTransaction(name))
  const count = simulation.invariants.acceptedCount
  const isThere = (): boolean => simulation.invariants.acceptedCount > count && simulation.invariants.missing(at).length === 0
  await simulation.runUntil(`${name} is committed`, isThere, 20_000)
}

const viewOf = (simulation: World, member: number): Readonly<Record<string, unknown>> => simulation.peer(member).host?.status().engineView ?? {}

describe('a network', () => {
  it('is quiet when there is nothing to order: no message, no timer', async () => {
    let asked = 0
    const counted: readonly string[] = ['send', 'broadcast', 'setTimer']
    const watched: EngineFactory = {
      ...hotstuff,
      create(host, _options, start) {
        const watching = new Proxy(host, {
          get(target, name) {
            if (typeof name === 'string' && counted.includes(name)) asked += 1
            return Reflect.get(target, name, target)
          },
        })
        return hotstuff.create(watching, hotstuff.parseOptions(undefined), start)
      },
    }
    const simulation = await network(1, { engine: { factory: watched } })
    await commit(simulation, 2, 'one')
    await simulation.run(5000)
    const before = asked
    expect(before).toBeGreaterThan(0)
    await simulation.run(60_000)
    expect(asked).toBe(before)
    await simulation.checkAll()
  })

  it('keeps its leader as long as that works', async () => {
    const simulation = await network(2)
    for (let number = 0; number < 30; number += 1) await commit(simulation, number % 4, `t${number}`)
    for (const member of [0, 1, 2, 3]) expect(viewOf(simulation, member)).toMatchObject({ view: 0, leader: 'vp0', wish: 0, signatures: true })
  })

  it('goes on with the next leader when the first has died', async () => {
    const simulation = await network(3)
    await commit(simulation, 1, 'before')
    simulation.peer(0).crash('power')
    await commit(simulation, 2, 'after', [1, 2, 3])
    expect(viewOf(simulation, 3)).toMatchObject({ view: 1, leader: 'vp1' })
    simulation.peer(0).start()
    await simulation.runUntil('it is there again', () => simulation.invariants.missing([0]).length === 0, 20_000)
    await simulation.checkAll()
  })

  it('transfers the state to who was away for longer than blocks are kept', async () => {
    const simulation = await network(4)
    simulation.peer(3).crash('kill')
    for (let number = 0; number < 150; number += 1) await commit(simulation, number % 3, `t${number}`, [0, 1, 2])
    simulation.peer(3).start()
    await simulation.runUntil('it has caught up', () => simulation.invariants.missing([3]).length === 0, 20_000)
    await commit(simulation, 3, 'last')
    await simulation.checkAll()
  })

  it('works where there are no signatures, and says so', async () => {
    const simulation = await network(5, { signer: () => undefined })
    await commit(simulation, 1, 'one')
    expect(viewOf(simulation, 1)).toMatchObject({ signatures: false })
  })
})
