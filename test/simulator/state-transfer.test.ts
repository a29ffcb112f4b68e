import { describe, expect, it } from 'vitest'
import { type LogicalLedger, makeTransaction, openLogicalLedger, Simulation } from '../kit/index.js'
import { copyChain } from './scenario.js'
import { pbftSkeleton } from './skeletons/pbft.js'

const SEEDS = 10

/** vp3 hands a request on, is cut off, and comes back when the others have discarded the log that it would need. */
async function fallBehind(seed: number): Promise<Simulation<LogicalLedger>> {
  const simulation = new Simulation<LogicalLedger>({
    seed,
    members: 4,
    engine: { factory: pbftSkeleton },
    openLedger: openLogicalLedger,
    transfer: copyChain,
    trace: true,
  })
  await simulation.start()
  await simulation.run(100)
  simulation.peer(3).submit(makeTransaction('of the one cut off'))
  await simulation.runUntil('its request has left', () => simulation.invariants.acceptedCount === 1, 100)
  await simulation.run(15)
  simulation.links.partition([[0, 1, 2], [3]])
  for (let number = 0; number < 90; number += 1) {
    simulation.peer(number % 3).submit(makeTransaction(`t${number}`))
    await simulation.run(60)
  }
  simulation.peer(3).submit(makeTransaction('while cut off'))
  simulation.links.heal()
  if (seed % 2 === 1) cutPowerAtWrite(simulation, 1 + (seed % 5))
  for (let number = 90; number < 110; number += 1) {
    simulation.peer(number % 4).submit(makeTransaction(`t${number}`))
    await simulation.run(60)
  }
  const isOver = (): boolean =>
    simulation.invariants.missing([0, 1, 2, 3]).length === 0 && simulation.peers.every(({ host }) => host?.status().pendingRequests === 0)
  await simulation.runUntil('everything is in every chain and nobody waits', isOver, 20_000)
  await simulation.checkAll()
  return simulation
}

/** Cuts vp3's power after some write: also between the blocks that a transfer brings and the end of the requests that they hold. */
function cutPowerAtWrite(simulation: Simulation<LogicalLedger>, write: number): void {
  const peer = simulation.peer(3)
  let writesLeft = write
  peer.disk.onWrite = () => {
    writesLeft -= 1
    if (writesLeft > 0) return
    peer.disk.onWrite = undefined
    peer.crash('power')
    simulation.time.schedule(50, () => peer.start())
  }
}

// In real time, on a busy machine.
describe('a member that was left behind', () => {
  it('transfers the state and gets its own requests settled, each ordered once', async () => {
    let transfers = 0
    let restarts = 0
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      try {
        const { trace, peers } = await fallBehind(seed)
        restarts += (peers[3]?.starts ?? 0) - 1
        transfers += trace.lines.filter((line) => line.includes('vp3 < transferred to')).length
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause })
      }
    }
    expect(transfers).toBeGreaterThanOrEqual(SEEDS / 2)
    expect(restarts).toBeGreaterThanOrEqual(Math.floor(SEEDS / 2))
  })
})
