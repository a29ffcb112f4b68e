import { expect, it } from 'vitest'
import type { EngineFactory } from '../../../plugins/consensus/index.js'
import { Simulation } from '../../kit/simulation.js'
import { makeTransaction } from '../../kit/transactions.js'
import { logicalWorld } from '../../kit/worlds.js'
import { raftSkeleton } from '../../simulator/skeletons/raft.js'

const told: string[] = []

/** Orders for itself alone, two blocks at a time, and asks again for whatever was skipped until it hears that its epoch is over. */
const stubborn: EngineFactory = {
  ...raftSkeleton,
  name: 'stubborn',
  create(host) {
    let isSealed = false
    return {
      onRequest({ id, bytes }) {
        host.deliver(`${id} first`, [{ id, bytes }])
        host.deliver(`${id} again`, [{ id, bytes }])
      },
      onDelivered(tag, block) {
        told.push(block === 'skipped' ? 'skipped' : 'delivered')
        if (block === 'skipped' && !isSealed) host.deliver(tag, [])
      },
      onSealed() {
        isSealed = true
        told.push('sealed')
      },
    }
  },
}

it('an engine hears that its epoch is over before anything of it is skipped', async () => {
  const network = new Simulation({ seed: 1, members: 1, engine: { factory: stubborn, options: {} }, successors: [raftSkeleton], ...logicalWorld })
  await network.start()
  const { host } = network.peer(0)
  if (!host) throw new Error('no host')
  const proposing = host.swaps.plan({ engine: raftSkeleton.name, options: {}, allowWeaker: true }).then(async ({ proposal, objection }) => {
    expect(objection).toBeUndefined()
    await host.swaps.propose(proposal)
  })
  await network.runUntil('the epoch of the other engine has started', () => host.swaps.view().record.started.length === 1, 20_000)
  await proposing
  network.peer(0).submit(makeTransaction('t'))
  await network.runUntil('it commits', () => network.invariants.unfinished().length === 0, 20_000)
  expect(told.indexOf('sealed')).toBeGreaterThan(0)
  expect(told.slice(0, told.indexOf('sealed'))).not.toContain('skipped')
})
