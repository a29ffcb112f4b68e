import { describe, expect, it } from 'vitest'
import { definePlugin, type Plugin } from '../../kernel/index.js'
import chaincode from '../../plugins/chaincode/index.js'
import consensus, { type Consensus, CONSENSUS, createConsensusHost } from '../../plugins/consensus/index.js'
import grpc from '../../plugins/grpc/index.js'
import ledger, { createLedger, LEDGER, type Ledger } from '../../plugins/ledger/index.js'
import { createStore, STORE } from '../../plugins/level/index.js'
import noopsPlugin, { noops } from '../../plugins/noops/index.js'
import { testPeer } from '../kernel/sites.js'
import { createVirtualClock, VirtualTime } from '../kit/virtual-clock.js'
import { type DiskFault, SimDisk } from '../kit/sim-disk.js'
import { fakeChaincode, transactionOf } from './kit/fake-ledger.js'
import { MemoryLog, run, settle } from './kit/harness.js'

const shape = { numBuckets: 11, maxGroupingAtEachLevel: 3 }
const small = { 'ledger.state.dataStructure.configs.numBuckets': 11, 'ledger.state.dataStructure.configs.maxGroupingAtEachLevel': 3 }

/** The plugin level, on a simulated disk. */
const storeOn = (disk: SimDisk): Plugin =>
  definePlugin({
    name: 'level',
    provides: [STORE],
    apply(peer) {
      peer.hooks.db.tap(async () => {
        const store = await createStore(disk.open(), { onFailed: (reason) => peer.fail(reason) })
        peer.provide(STORE, store)
        peer.hooks.stop.tap(() => store.close())
      })
    },
  })

/** A real peer of the real plugins, in this process. */
async function peerOn(disk: SimDisk) {
  let parts: { consensus: Consensus; ledger: Ledger } | undefined
  const taker = definePlugin({
    name: 'taker',
    requires: [CONSENSUS, LEDGER],
    apply: (peer) =>
      peer.hooks.start.tap(async () => {
        parts = { consensus: peer.use(CONSENSUS), ledger: peer.use(LEDGER) }
      }),
  })
  const { peer, lines } = testPeer([grpc, storeOn(disk), ledger, chaincode, consensus, noopsPlugin, taker], small)
  await peer.start()
  return { peer, lines, ...(parts ?? expect.fail('the peer has not started')) }
}

describe('a peer whose disk fails', () => {
  it.each<[DiskFault, number]>([
    ['ENOSPC', 0],
    ['ENOSPC', 1],
    ['EIO', 0],
    ['EIO', 1],
  ])('(%s, after %i writes) stops and says why; nobody who waits is left waiting; what it accepted is executed after a restart', async (fault, after) => {
    let left = Number.POSITIVE_INFINITY
    const disk = new SimDisk({
      schedule(complete) {
        if (left-- === 0) disk.failNextWrite(fault)
        queueMicrotask(complete)
      },
    })
    const first = await peerOn(disk)
    const before = await first.consensus.submit(transactionOf('before'))
    expect(await before.outcome()).toMatchObject({ status: 'rejected' })
    left = after
    // The journal's write fails, or the block's.
    const submitted = await Promise.allSettled(['a', 'b', 'c'].map((name) => first.consensus.submit(transactionOf(name))))
    const accepted = submitted.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(accepted).toHaveLength(after * 3)
    for (const result of submitted)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: expect.stringMatching(/ERR_STORE_WRITE|ERR_CONSENSUS_STOPPED/) })
    for (const one of accepted) await expect(one.outcome()).rejects.toMatchObject({ code: 'ERR_CONSENSUS_STOPPED' })
    expect(await first.peer.finished).toMatchObject({ failed: true, why: expect.stringContaining('the store could not write') })
    await expect(first.consensus.submit(transactionOf('late'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED' })
    expect(first.lines.filter((line) => /BATCH_ENDED|batch has been committed|Unhandled/.test(line))).toEqual([])

    disk.killProcess(() => 0)
    const second = await peerOn(disk)
    const again = await Promise.all(['a', 'b', 'c'].map((name) => second.consensus.submit(transactionOf(name))))
    for (const one of again) expect(await one.outcome()).toMatchObject({ status: 'rejected' })
    expect((await second.ledger.verify()).faults).toEqual([])
    expect(second.consensus.status().pendingRequests).toBe(0)
    await second.peer.stop()
  })
})

describe('a host whose block cannot be written', () => {
  it('while it is being stopped stops all the same, and the one reason is the disk', async () => {
    const time = new VirtualTime()
    const clock = createVirtualClock(time)
    const disk = new SimDisk()
    const store = await createStore(disk.open())
    let release = (): void => undefined
    const executing = new Promise<void>((resolve) => {
      release = resolve
    })
    const fatal: unknown[] = []
    const host = createConsensusHost({
      store,
      ledger: await createLedger({ store, clock, genesis: true, settings: shape }),
      chaincode: fakeChaincode(() => executing),
      engine: { factory: noops, options: {} },
      members: [{ index: 0, id: 'vp0' }],
      self: 0,
      seed: 1n,
      clock,
      log: new MemoryLog(),
      onFatal: (reason) => fatal.push(reason),
    })
    await host.start()
    const submitting = host.submit(transactionOf('a'))
    await run(time, 5)
    const outcome = (await submitting).outcome()
    const stopping = host.stop()
    disk.failNextWrite('ENOSPC')
    release()
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_CONSENSUS_STOPPED' })
    await settle()
    await stopping
    expect(fatal).toMatchObject([{ code: 'ERR_STORE_WRITE' }])
  })
})
