import { describe, expect, test } from 'vitest'
import { MixedWorld } from './mixed-world.js'

/** A network of originals, as docs/spec tells of them, and Weft: o and w, for vp0 on. vp0 leads the first view. */
const NETWORKS = [
  { kinds: 'wooo', what: 'one Weft validator, which leads first, among originals' },
  { kinds: 'owwo', what: 'two of each' },
  { kinds: 'owww', what: 'one original, which leads first, among Weft validators' },
]

async function load(world: MixedWorld, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    world.submit(world.random.pick(world.up()))
    await world.run(50)
  }
}

/** What Weft accepted is executed, by everybody up to how far behind an original may stay until there is more traffic. */
async function inStep(world: MixedWorld, what: string): Promise<void> {
  const isThere = (): boolean => {
    const executed = world.executions()
    const top = Math.max(...world.up().map((name) => world.height(name)))
    const isBehind = (name: string): boolean => world.height(name) < (world.isWeft(name) ? top : top - 12)
    return world.accepted().every((txid) => executed.has(txid)) && !world.up().some(isBehind)
  }
  await world.runUntil(what, isThere, 30_000)
}

describe('validators of both kinds', () => {
  test.each(NETWORKS)('agree on every block through a view change and transfers: $what', async ({ kinds }) => {
    const world = new MixedWorld({ kinds, K: 2, batchSize: 1, batchMs: 50, requestMs: 1000, viewChangeMs: 1000, resendMs: 1000, maxDeltas: 15 })
    await world.start()
    await world.runUntil('a mesh', () => world.isMeshed(), 10_000)
    await load(world, 6)
    await inStep(world, 'the first view')

    world.kill('vp0')
    await load(world, 12)
    await inStep(world, 'a view without its first primary')
    await world.start('vp0')
    await load(world, 20)
    await inStep(world, 'the first primary is back, by deltas')

    world.kill('vp0')
    world.wipe('vp0')
    await load(world, 12)
    await world.start('vp0')
    await load(world, 30)
    await inStep(world, 'the first primary is back, by a snapshot')

    expect(world.height('vp0')).toBeGreaterThan(60)
    expect(world.differences()).toEqual([])
    expect(world.panics).toEqual([])
    const executed = world.executions()
    expect(world.accepted().filter((txid) => executed.get(txid) !== 1)).toEqual([])
    expect(world.oddities()).toEqual([])
  })

  test('a Weft validator that comes back to originals is in step without a transaction: what they say as it connects is enough', async () => {
    const world = new MixedWorld({ kinds: 'ooow', batchSize: 1, batchMs: 50 })
    await world.start()
    await world.runUntil('a mesh', () => world.isMeshed(), 10_000)
    await load(world, 3)
    world.kill('vp3')
    await load(world, 3)
    await world.run(500)
    await world.start('vp3')
    await world.runUntil('vp3 is in step', () => world.height('vp3') === 7, 10_000)
    expect(world.differences()).toEqual([])
  })

  test('what a Weft validator had accepted when it was killed is executed once, although originals wait for it and it is announced again', async () => {
    const world = new MixedWorld({ kinds: 'oowo', batchSize: 20, batchMs: 300, requestMs: 3000 })
    await world.start()
    await world.runUntil('a mesh', () => world.isMeshed(), 10_000)
    for (const name of ['vp1', 'vp2', 'vp3']) world.cut('vp0', name)
    for (let i = 0; i < 8; i++) world.submit('vp2')
    await world.run(5)
    world.kill('vp2')
    await world.run(300)
    await world.start('vp2')
    await world.runUntil('it is executed', () => world.accepted().every((txid) => world.executions().has(txid)), 20_000)
    world.heal()
    await load(world, 20)
    await world.run(15_000)
    const executed = world.executions()
    expect(world.accepted().filter((txid) => (executed.get(txid) ?? 0) > 1)).toEqual([])
    expect(world.differences()).toEqual([])
  })
})
