import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { EngineFactory } from '../../../plugins/consensus/index.js'
import { Simulation } from '../../kit/simulation.js'
import { makeTransaction } from '../../kit/transactions.js'
import { logicalWorld } from '../../kit/worlds.js'
import { expectNothingMore, held, settled } from '../../engines/held.js'
import { hotStuffSkeleton } from '../../simulator/skeletons/hotstuff.js'
import { raftSkeleton } from '../../simulator/skeletons/raft.js'

// A thousand swaps: WEFT_LONG=1 npx vitest run --config .ci/vitest.config.ts test/consensus/swap/leaks
const SWAPS = process.env['WEFT_LONG'] === '1' ? 1000 : 30
const WARM_UP = 10
const MEMBERS = 4
const PLAIN_BLOCKS = 100
/** What a block may cost at any rate: figures of a heap that is being collected swing by that. */
const LEAST_BYTES = 64 * 1024
/** Blocks stay in memory, here at every validator. Those of a swap may weigh so much more than those of one small transaction: they hold records of epochs. */
const HEAVIER = 3

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Counts the instances of an engine that were not disposed of, and keeps track of those that are in memory, whoever holds them. */
class Watched {
  undisposed = 0
  private readonly made: WeakRef<object>[] = []

  watch(factory: EngineFactory): EngineFactory {
    return {
      ...factory,
      create: (host, options, start) => {
        const engine = factory.create(host, options, start)
        this.undisposed++
        this.made.push(new WeakRef(engine))
        const dispose = engine.dispose?.bind(engine)
        engine.dispose = () => {
          this.undisposed--
          dispose?.()
        }
        return engine
      },
    }
  }

  get inMemory(): number {
    return this.made.filter((one) => one.deref() !== undefined).length
  }
}

async function heapBytes(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    // What was dereferenced in this turn lives until the next.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}

it(`${SWAPS} swaps in one process leave nothing behind`, { timeout: 600_000 }, async () => {
  const watched = new Watched()
  const [raft, hotstuff] = [watched.watch(raftSkeleton), watched.watch(hotStuffSkeleton)]
  const network = new Simulation({ seed: 7, members: MEMBERS, engine: { factory: raft }, successors: [raft, hotstuff], ...logicalWorld })
  await network.start()
  const swap = async (count: number): Promise<void> => {
    network.peer(count % MEMBERS).submit(makeTransaction(`t${count}`))
    const { host } = network.peer(count % MEMBERS)
    if (!host) throw new Error('no host')
    let isProposed = false
    const wanted = count % 2 === 0 ? hotstuff : raft
    const proposing = host.swaps.plan({ engine: wanted.name, allowWeaker: true }).then(async ({ proposal, objection }) => {
      expect(objection).toBeUndefined()
      await host.swaps.propose(proposal)
      isProposed = true
    })
    await network.runUntil('it is proposed', () => isProposed, 20_000)
    await proposing
    const isOver = (): boolean =>
      network.peers.every((peer) => {
        const view = peer.host?.swaps.view()
        return view?.record.epoch === BigInt(count + 1) && view.record.started.length === MEMBERS && !view.isSealing
      })
    await network.runUntil(`everybody is in epoch ${count + 1}`, isOver, 60_000)
  }
  const height = (): number => Number(network.peer(0).ledger?.height() ?? 0n)
  for (let count = 0; count < WARM_UP; count++) await swap(count)
  const plain = { height: height(), heap: await heapBytes() }
  for (let count = 0; count < PLAIN_BLOCKS; count++) {
    network.peer(count % MEMBERS).submit(makeTransaction(`plain${count}`))
    await network.run(100)
    await network.runUntil('it is committed', () => network.invariants.unfinished().length === 0, 20_000)
  }
  const plainBytes = ((await heapBytes()) - plain.heap) / (height() - plain.height)
  const beforeHeight = height()
  const before = { held: await settled(), heap: await heapBytes() }
  for (let count = WARM_UP; count < WARM_UP + SWAPS; count++) await swap(count)
  const heap = await heapBytes()
  if (SWAPS > 100) {
    const figures = { engines: watched.undisposed, inMemory: watched.inMemory, held: [...held()], heapBefore: before.heap, heapAfter: heap }
    const bytes = ((heap - before.heap) / (height() - beforeHeight)).toFixed(0)
    process.stdout.write(`${SWAPS} swaps, ${height() - beforeHeight} blocks of ${bytes} bytes at four validators; ${JSON.stringify(figures)}\n`)
  }
  expect(watched.undisposed).toBe(MEMBERS)
  // One or two generations may be in memory until the next swap replaces what knows them.
  expect(watched.inMemory).toBeLessThanOrEqual(3 * MEMBERS)
  await expectNothingMore(before.held)
  expect((heap - before.heap) / (height() - beforeHeight)).toBeLessThan(Math.max(HEAVIER * plainBytes, LEAST_BYTES))
})
