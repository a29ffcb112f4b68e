import { describe, expect, it } from 'vitest'
import { engineSuite, logicalWorld, makeTransaction, Simulation } from 'weft/testkit'
import sequencer from '../src/index.js'

/** With one validator nothing is lost, whatever happens to it. */
engineSuite({ ...sequencer.engine, agreement: false }, { seeds: Number(process.env['WEFT_KIT_SEEDS'] ?? 5) })

function network(seed: number) {
  return new Simulation({ seed, members: 4, engine: { factory: sequencer.engine }, ...logicalWorld })
}

describe('the sequencer', () => {
  it('makes the same blocks everywhere, whoever is asked, as long as nobody fails', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const simulation = network(seed)
      await simulation.start()
      for (let number = 0; number < 50; number += 1) simulation.peer(number % 4).submit(makeTransaction(`t${number}`, { fails: number % 10 === 9 }))
      const { invariants } = simulation
      await simulation.runUntil('all are committed', () => invariants.acceptedCount === 50 && invariants.missing([0, 1, 2, 3]).length === 0, 10_000)
      await simulation.checkAll()
    }
  })

  it('transfers the state to a follower that was away', async () => {
    const simulation = network(1)
    await simulation.start()
    const { invariants } = simulation
    simulation.peer(2).crash('kill')
    for (let number = 0; number < 50; number += 1) simulation.peer(number % 2).submit(makeTransaction(`t${number}`))
    await simulation.runUntil('the others have all', () => invariants.acceptedCount === 50 && invariants.missing([0, 1, 3]).length === 0, 10_000)
    simulation.peer(2).start()
    await simulation.runUntil('it has all', () => invariants.missing([2]).length === 0, 10_000)
    await simulation.checkAll()
  })

  it('orders nothing without its leader, and says so beforehand', async () => {
    expect(sequencer.engine.tolerates(4)).toEqual({ crashed: 0, byzantine: 0 })
    const simulation = network(1)
    await simulation.start()
    simulation.peer(0).crash('power')
    simulation.peer(1).submit(makeTransaction('one'))
    await expect(simulation.runUntil('it is committed', () => simulation.invariants.heightOf(1) > 1, 10_000)).rejects.toThrow('expected within 10000 ms')
  })

  it('has no options', () => {
    expect(() => sequencer.engine.parseOptions({ size: 7 })).toThrow('the options of sequencer are wrong: size: unknown; there is no option')
  })
})
