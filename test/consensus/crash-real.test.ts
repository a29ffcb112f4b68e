import { describe, expect, it } from 'vitest'
import { type ConsensusHost, createConsensusHost } from '../../plugins/consensus/index.js'
import { createLedger, type Ledger } from '../../plugins/ledger/index.js'
import { createStore } from '../../plugins/level/index.js'
import { noops } from '../../plugins/noops/index.js'
import { createRandom } from '../kit/random.js'
import { SimDisk } from '../kit/sim-disk.js'
import { createVirtualClock, VirtualTime } from '../kit/virtual-clock.js'
import { fakeChaincode, transactionOf } from './kit/fake-ledger.js'
import { MemoryLog, run, settle } from './kit/harness.js'

interface Life {
  readonly host: ConsensusHost
  readonly ledger: Ledger
  readonly fatal: unknown[]
  end(): void
}

/** One life of a validator with the real store and the real ledger on a simulated disk. */
async function live(disk: SimDisk, time: VirtualTime): Promise<Life> {
  let isAlive = true
  const clock = createVirtualClock(time, () => isAlive)
  const store = await createStore(disk.open())
  const ledger = await createLedger({ store, clock, genesis: true, settings: { numBuckets: 11, maxGroupingAtEachLevel: 3 } })
  const fatal: unknown[] = []
  const host = createConsensusHost({
    store,
    ledger,
    chaincode: fakeChaincode(),
    engine: { factory: noops, options: {} },
    members: [{ index: 0, id: 'vp0' }],
    self: 0,
    seed: 1n,
    clock,
    log: new MemoryLog(),
    onFatal: (reason) => fatal.push(reason),
  })
  await host.start()
  const end = (): void => {
    isAlive = false
    host.kill()
  }
  return { host, ledger, fatal, end }
}

function payloads(ledger: Ledger): string[] {
  const found: string[] = []
  for (let number = 0n; number < ledger.height(); number++)
    for (const { payload } of ledger.block(number)?.transactions ?? []) found.push(Buffer.from(payload).toString())
  return found
}

describe('a validator with the real store and ledger, crashed at random', () => {
  it('commits everything that it accepted, exactly once, in order', async () => {
    let total = 0
    for (let seed = 1; seed <= 15; seed++) {
      const random = createRandom(seed)
      const time = new VirtualTime()
      const disk = new SimDisk({ schedule: (complete) => void time.schedule(random.below(20), complete) })
      const accepted: string[] = []
      let submitted = 0
      // Opening the store and writing the genesis block take virtual time too.
      const begin = async (): Promise<Life> => {
        const living = live(disk, time)
        const opening = { isOver: false }
        const over = (): void => {
          opening.isOver = true
        }
        living.then(over, over)
        while (!opening.isOver) await run(time, 5)
        return living
      }
      let life = await begin()
      for (let crash = 0; crash < 5; crash++) {
        for (let burst = random.below(6); burst > 0; burst--) {
          for (let count = random.below(6); count > 0; count--) {
            const name = `n${submitted++}`
            life.host.submit(transactionOf(name)).then(
              () => accepted.push(name),
              () => undefined, // Not accepted: the crash was first.
            )
          }
          await run(time, random.below(20))
        }
        life.end()
        if (random.chance(0.5)) disk.powerCut(() => random.next())
        else disk.killProcess(() => random.next())
        await settle()
        life = await begin()
      }
      await run(time, 5000)
      const committed = payloads(life.ledger)
      expect([life.fatal, life.host.status().pendingRequests]).toEqual([[], 0])
      expect(new Set(committed).size, `seed ${seed}: nothing twice`).toBe(committed.length)
      expect(
        accepted.filter((name) => !committed.includes(name)),
        `seed ${seed}: nothing lost`,
      ).toEqual([])
      const numbers = committed.map((name) => Number(name.slice(1)))
      expect(numbers, `seed ${seed}: in the order of submission`).toEqual([...numbers].sort((a, b) => a - b))
      total += accepted.length
      expect((await life.ledger.verify()).faults).toEqual([])
    }
    expect(total, 'a test that accepts little shows little').toBeGreaterThan(300)
  })
})
