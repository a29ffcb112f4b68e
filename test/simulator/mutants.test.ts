import { describe, expect, it } from 'vitest'
import type { EngineFactory, EngineHost } from '../../plugins/consensus/index.js'
import type { Store } from '../../plugins/level/index.js'
import { noops } from '../../plugins/noops/index.js'
import { hostWith } from '../kit/host-with.js'
import type { LedgerOpener } from '../kit/index.js'
import { cutPower, openRealLedger } from './power-cut.js'
import { runScenario } from './scenario.js'
import { raftSkeleton } from './skeletons/raft.js'

/** Deliberately broken parts. A kit that passes one of them is broken itself. */

/** What the first failing of some seeds says; an empty text if all pass. */
async function firstFailure(seeds: number, run: (seed: number) => Promise<unknown>): Promise<string> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      await run(seed)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  return ''
}

/** An engine whose host is changed. */
function withHost(factory: EngineFactory, change: (host: EngineHost) => Partial<EngineHost>): EngineFactory {
  return {
    ...factory,
    create: (host, options, start) => factory.create(hostWith(host, change(host)), options, start),
  }
}

const faults = { members: 3, transactions: 12, crashes: 8, breaks: true }

// In real time, on a busy machine.
describe('the simulator catches', () => {
  it('a store that does not sync', async () => {
    expect(await firstFailure(5, (seed) => cutPower(seed, 10, { store: { sync: 'off' } }))).toMatch(/lost blocks|lost|another block/)
  })

  it('a journal that does not sync: accepted requests vanish', async () => {
    expect(await firstFailure(10, (seed) => cutPower(seed, 10, { store: { sync: 'blocks' } }))).toMatch(
      /committed what it accepted|everything accepted is committed/,
    )
  })

  it('a ledger that forgets the rest of the block write: requests come back', async () => {
    const openLedger: LedgerOpener = async (store, clock) => {
      const ledger = await openRealLedger(store, clock)
      const openBatch = ledger.openBatch.bind(ledger)
      ledger.openBatch = () => {
        const batch = openBatch()
        const commit = batch.commit.bind(batch)
        batch.commit = (executed, metadata) => commit(executed, metadata)
        return batch
      }
      // As a host that does not look into the chain for what it holds.
      ledger.locateBytes = () => undefined
      return ledger
    }
    expect(await firstFailure(5, (seed) => cutPower(seed, 10, { openLedger }))).toMatch(
      /in block \d+ and in block \d+|told its client that \w+ was rejected: it was executed/,
    )
  })

  it('a door that does not look into the chain: a client that asks again is served twice', async () => {
    const openLedger: LedgerOpener = async (store, clock) => {
      const ledger = await openRealLedger(store, clock)
      ledger.locateBytes = () => undefined
      return ledger
    }
    expect(await firstFailure(5, (seed) => cutPower(seed, 10, { openLedger }))).toMatch(/in block \d+ and in block \d+/)
  })

  it('an engine that does not persist its votes and its log', async () => {
    const forgetful = withHost(raftSkeleton, () => ({ put: () => undefined }))
    expect(await firstFailure(20, (seed) => runScenario(forgetful, { ...faults, seed, patienceMs: 1000 }))).not.toBe('')
  })

  it('sends that do not wait for the disk', async () => {
    const store = (inner: Store): Store => ({
      namespace: (name) => inner.namespace(name),
      batch: () => inner.batch(),
      commit: (batch, kind) => {
        const written = inner.commit(batch, kind)
        return kind === 'record' ? Promise.resolve() : written
      },
      snapshot: () => inner.snapshot(),
      close: () => inner.close(),
    })
    // A slow disk, so that much has been said and not been written when the power goes.
    expect(
      await firstFailure(40, (seed) => runScenario(raftSkeleton, { ...faults, seed, disk: { minWriteMs: 5, maxWriteMs: 60 }, wrapStore: store })),
    ).not.toBe('')
  })

  it('an engine that claims agreement and has none', async () => {
    const pretender: EngineFactory = { ...withHost(noops, () => ({})), agreement: true }
    expect(await firstFailure(5, (seed) => runScenario(pretender, { ...faults, seed, crashes: 0 }))).toContain('has another block')
  })
})
