import { describe, expect, it } from 'vitest'
import { type EngineHost, type EngineRequest, requestId } from '../../../plugins/consensus/index.js'
import { fakeChaincode, transactionOf } from '../kit/fake-ledger.js'
import { createBench, engineOf, run, settle } from '../kit/harness.js'
import type { MemoryStore } from '../kit/memory-store.js'

/** Makes a block of every request as it comes. */
const eager = engineOf((host: EngineHost) => {
  let blocks = 0
  return { onRequest: (request) => host.deliver(`block ${blocks++}`, [request]) }
})

const rowKey = (sequence: number): string => Buffer.from(`00000000${sequence.toString(16).padStart(8, '0')}`, 'hex').toString('latin1')

/** What a store holds after `a` and `b` were accepted and committed, with rows of the journal put back. */
async function withOldRows(rows: Record<string, Uint8Array>): Promise<MemoryStore> {
  const { host, time, store } = createBench(eager)
  await host.start()
  const submitting = Promise.all(['a', 'b'].map((name) => host.submit(transactionOf(name))))
  await run(time, 1)
  await submitting
  await run(time, 1)
  expect(store.keys('journal')).toEqual([])
  const found = store.crash()
  for (const [key, value] of Object.entries(rows)) found.rows.get('journal')?.set(key, value)
  return found
}

describe('a journal to which a damaged store gave back deleted rows', () => {
  it('does not have executed again what is in a block: the row goes for good, and who asks is told the block', async () => {
    const store = await withOldRows({ [rowKey(0)]: transactionOf('a'), [rowKey(1)]: transactionOf('b') })
    const { host, time, ledger, events } = createBench(eager, { store })
    await host.start()
    await run(time, 1)
    expect([ledger.payloads(), store.keys('journal'), events.map(({ type }) => type)]).toEqual([[['a'], ['b']], [], []])
    const again = await host.submit(transactionOf('b'))
    expect([again.duplicate, await again.outcome()]).toEqual([true, { status: 'committed', block: 1n, index: 0 }])
  })

  it('has a transaction that is in it twice executed once, and keeps neither row', async () => {
    const store = await withOldRows({ [rowKey(0)]: transactionOf('new'), [rowKey(7)]: transactionOf('new') })
    const { host, time, ledger } = createBench(eager, { store, limits: { maxRequestBytes: transactionOf('new').length } })
    await host.start()
    await run(time, 1)
    expect([ledger.payloads(), store.keys('journal'), host.status().pendingRequests]).toEqual([[['a'], ['b'], ['new']], [], 0])
    const submitting = host.submit(transactionOf('one'))
    await run(time, 1)
    expect(await (await submitting).outcome()).toMatchObject({ status: 'committed' })
  })

  it.each([
    ['a key that is no number', { kurz: transactionOf('x') }],
    ['bytes that are no transaction', { [rowKey(3)]: Buffer.from('ff', 'hex') }],
  ])('refuses to start over %s, and says what to do', async (_, rows) => {
    const store = await withOldRows(rows)
    const { host } = createBench(eager, { store })
    await expect(host.start()).rejects.toMatchObject({
      code: 'ERR_CONSENSUS_JOURNAL',
      message: expect.stringContaining('journal'),
      hint: expect.stringContaining('backup'),
    })
  })
})

describe('a request', () => {
  it('is not over because a block holds other bytes under its id', async () => {
    const lie = engineOf((host: EngineHost) => ({
      onRequest: ({ id }: EngineRequest) => host.deliver('block', [{ id, bytes: transactionOf('other') }]),
    }))
    const { host, time, store, ledger } = createBench(lie)
    await host.start()
    const submitting = host.submit(transactionOf('mine'))
    await run(time, 1)
    expect((await submitting).id).toBe(requestId(transactionOf('mine')))
    expect([ledger.payloads(), store.keys('journal').length, host.status().pendingRequests]).toEqual([[['other']], 1, 1])
    await host.stop()
  })
})

describe('a host', () => {
  it('that is asked to stop twice tells both when it has stopped', async () => {
    let release = (): void => undefined
    const executing = new Promise<void>((resolve) => {
      release = resolve
    })
    const { host, time, ledger } = createBench(eager, { chaincode: fakeChaincode(() => executing) })
    await host.start()
    void host.submit(transactionOf('a'))
    await run(time, 1)
    let stopped = 0
    for (let i = 0; i < 2; i += 1) void host.stop().then(() => (stopped += 1))
    await settle()
    expect([stopped, ledger.height()]).toEqual([0, 0n])
    release()
    await settle()
    expect([stopped, ledger.height()]).toEqual([2, 1n])
  })

  it.each(['stop', 'kill'] as const)('that gets %s while it starts does not run afterwards', async (end) => {
    const { host, transport, events } = createBench(eager)
    const starting = host.start()
    await host[end]()
    await starting
    transport.message(1, Buffer.from('hello'))
    await settle()
    expect(events).toEqual([])
    await expect(host.submit(transactionOf('a'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED' })
  })
})
