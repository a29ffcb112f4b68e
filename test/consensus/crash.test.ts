import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import { noops } from '../../plugins/noops/index.js'
import { createRandom, type Random } from '../kit/random.js'
import { VirtualTime } from '../kit/virtual-clock.js'
import { transactionOf } from './kit/fake-ledger.js'
import { type Bench, createBench, engineOf, run, settle } from './kit/harness.js'
import { type Disk, MemoryStore } from './kit/memory-store.js'

function slowDisk(time: VirtualTime, random: Random): Disk {
  let freeAtMs = 0
  return (_, done) => {
    freeAtMs = Math.max(freeAtMs, time.nowMs) + random.below(30)
    time.schedule(freeAtMs - time.nowMs, done)
  }
}

/** Delivers each request in a block of its own, and runs ahead. */
const oneByOne = engineOf((host) => {
  const waiting: Parameters<typeof host.deliver>[1][number][] = []
  let inFlight = 0
  const pump = (): void => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      inFlight++
      host.deliver('block', [next])
      if (inFlight === host.deliveryWindow) return
    }
  }
  return {
    onRequest(request) {
      waiting.push(request)
      if (inFlight < host.deliveryWindow) pump()
    },
    onDelivered() {
      inFlight--
      pump()
    },
  }
})

/** Submits, crashes and restarts at random moments; returns what was accepted and what is in blocks after a last calm run. */
async function life(factory: EngineFactory, seed: number): Promise<{ accepted: string[]; committed: string[] }> {
  const random = createRandom(seed)
  const time = new VirtualTime()
  const accepted: string[] = []
  let submitted = 0
  let store = new MemoryStore(slowDisk(time, random))
  const start = async (): Promise<Bench> => {
    const bench = createBench(factory, { size: 1, store, time, engine: { factory, options: {} } })
    await bench.host.start()
    return bench
  }
  let bench = await start()
  for (let crash = 0; crash < 6; crash++) {
    for (let burst = random.below(8); burst > 0; burst--) {
      for (let count = random.below(6); count > 0; count--) {
        const name = `n${submitted++}`
        bench.host.submit(transactionOf(name)).then(
          () => accepted.push(name),
          () => undefined, // Not accepted: the crash was first.
        )
      }
      await run(time, random.below(25))
    }
    store = store.crash(slowDisk(time, random))
    bench.host.kill()
    await settle()
    bench = await start()
  }
  await run(time, 5000)
  expect([bench.fatal, bench.host.status().pendingRequests, store.keys('journal')]).toEqual([[], 0, []])
  return { accepted, committed: bench.ledger.payloads().flat() }
}

describe('a validator that loses power at any moment', () => {
  it.each([
    ['noops', noops],
    ['an engine that runs ahead', oneByOne],
  ])('commits everything that it accepted, exactly once (%s)', async (_name, factory) => {
    let total = 0
    for (let seed = 1; seed <= 40; seed++) {
      const { accepted, committed } = await life(factory, seed)
      expect(new Set(committed).size, `seed ${seed}: nothing twice`).toBe(committed.length)
      expect(
        accepted.filter((name) => !committed.includes(name)),
        `seed ${seed}: nothing lost`,
      ).toEqual([])
      const numbers = committed.map((name) => Number(name.slice(1)))
      expect(numbers, `seed ${seed}: in the order of submission`).toEqual([...numbers].sort((a, b) => a - b))
      total += accepted.length
    }
    expect(total, 'a test that accepts little shows little').toBeGreaterThan(500)
  })
})
