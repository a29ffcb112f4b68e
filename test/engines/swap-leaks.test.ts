import { expect, it, vi } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { type ConsensusHost, createConsensusHost, ownEngine, successionRules } from '../../plugins/consensus/index.js'
import { EngineLoader } from '../../plugins/engines/engine-package.js'
import { defaultProcessLimits } from '../../plugins/engines/process/limits.js'
import { noops } from '../../plugins/noops/engine.js'
import { MemoryStore } from '../consensus/kit/memory-store.js'
import { createExecutor, makeTransaction, openLogicalLedger } from '../kit/index.js'
import { silentLogger } from '../kit/silent-logger.js'
import { expectFewerChildren, expectNothingMore, heapBytes, settled } from './held.js'
import { packageFolder } from './kit.js'

// Two hundred: npm run long -- leaks
const SWAPS = Number(process.env['WEFT_ISOLATED_SWAPS'] ?? 3)
const WARM_UP = 2
/** What may stay of the runner and of the measurement itself, and what the blocks of one swap weigh, which are held in memory here. */
const HEAP_SLACK_BYTES = 4 * 1024 * 1024
const SWAP_BYTES = 24 * 1024

const MEMBERS = [{ index: 0, id: 'vp0' }]

async function startHost(): Promise<ConsensusHost> {
  const store = new MemoryStore()
  const ledger = await openLogicalLedger(store, systemClock)
  const loader = new EngineLoader({ ...defaultProcessLimits, sandbox: 'none' }, silentLogger, systemClock)
  const first = ownEngine(noops, { origin: 'this test', options: undefined })
  const host = createConsensusHost({
    store,
    ledger,
    chaincode: createExecutor(successionRules({ engine: first, members: MEMBERS, policy: { kind: 'doors' }, ledger })),
    engine: first,
    engines: { find: async () => loader.isolated(await loader.load(packageFolder('echo')), { options: {} }) },
    members: MEMBERS,
    self: 0,
    seed: 1n,
    clock: systemClock,
    log: silentLogger,
    onFatal: (reason) => {
      throw reason
    },
  })
  await host.start()
  return host
}

async function swap(host: ConsensusHost, epoch: bigint): Promise<void> {
  const { proposal, objection } = await host.swaps.plan({ engine: 'echo', allowWeaker: true })
  expect(objection).toBeUndefined()
  await host.swaps.propose(proposal)
  const isOver = (): boolean => {
    const { record, isSealing } = host.swaps.view()
    return record.epoch === epoch && record.started.length === 1 && !isSealing
  }
  await vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 60_000, interval: 5 })
  const accepted = await host.submit(makeTransaction(`in epoch ${epoch}`))
  expect(await accepted.outcome()).toMatchObject({ status: 'committed' })
}

it(
  `${SWAPS} swaps between engines in processes of their own leave nothing behind but the engine that runs`,
  async () => {
    const host = await startHost()
    let epoch = 0n
    for (let count = 0; count < WARM_UP; count++) await swap(host, ++epoch)
    const [before, heap] = [await settled(), heapBytes()]
    const startedMs = performance.now()
    for (let count = 0; count < SWAPS; count++) await swap(host, ++epoch)
    const swapMs = (performance.now() - startedMs) / SWAPS
    await expectNothingMore(before)
    const grown = heapBytes() - heap
    const figures = `${SWAPS} swaps, ${swapMs.toFixed(0)} ms each; heap ${(heap / 2 ** 20).toFixed(1)} MiB and ${(grown / 1024).toFixed(0)} KiB more`
    if (SWAPS > 100) process.stdout.write(`${figures}; ${JSON.stringify([...before])}\n`)
    expect(grown).toBeLessThan(HEAP_SLACK_BYTES + SWAPS * SWAP_BYTES)
    await host.stop()
    await expectFewerChildren(before, 1)
  },
  240_000 + SWAPS * 10_000,
)

it('a swap that is cancelled leaves no process behind', async () => {
  const host = await startHost()
  await swap(host, 1n)
  const before = await settled()
  const { proposal } = await host.swaps.plan({ engine: 'echo', allowWeaker: true, deadlineMs: 1 })
  await host.swaps.propose(proposal)
  await vi.waitFor(() => expect(host.swaps.view().candidate).toBeUndefined(), { timeout: 60_000, interval: 5 })
  await expectNothingMore(before)
  await host.stop()
  await expectFewerChildren(before, 1)
})
