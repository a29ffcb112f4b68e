import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { EngineHost, EngineRequest } from '../../../plugins/consensus/index.js'
import { decode, encode, Transaction } from '../../../proto/index.js'
import { fakeChaincode, transactionOf } from '../kit/fake-ledger.js'
import { createBench, engineOf, run, settle } from '../kit/harness.js'
import { createVirtualClock, EPOCH_MS } from '../../kit/virtual-clock.js'
import { MemoryStore } from '../kit/memory-store.js'

const payload = (request: EngineRequest): string =>
  Buffer.from(request.bytes)
    .toString('latin1')
    .match(/tx-(\w+)/)?.[1] ?? ''

/** Collects requests and delivers them when a message comes: 'deliver a b' or 'forget a'. */
const manual = (seen: string[]) =>
  engineOf((host: EngineHost) => {
    const requests = new Map<string, EngineRequest>()
    let blocks = 0
    return {
      onRequest(request) {
        seen.push(payload(request))
        requests.set(payload(request), request)
      },
      onMessage(_from, bytes) {
        const [verb, ...names] = Buffer.from(bytes).toString().split(' ')
        const chosen = names.flatMap((name) => requests.get(name) ?? [])
        if (verb === 'deliver') host.deliver(`block ${blocks++}`, chosen)
        else host.forget(chosen.map(({ id }) => id))
      },
    }
  })

describe('submitting', () => {
  it('resolves once the request is on disk, and names it by the hash of its bytes', async () => {
    const done: (() => void)[] = []
    const store = new MemoryStore((_, durable) => done.push(durable))
    const { host, time } = createBench(manual([]), { store })
    await host.start()
    let accepted: { id: string; duplicate: boolean } | undefined
    void host.submit(transactionOf('a')).then((receipt) => {
      accepted = receipt
    })
    await run(time, 5)
    expect(accepted).toBeUndefined()
    done[0]?.()
    await settle()
    const id = createHash('shake256', { outputLength: 32 }).update(transactionOf('a')).digest('hex')
    expect([accepted?.id, accepted?.duplicate]).toEqual([id, false])
  })

  it('shares one write among all requests of a turn, and hands them over in order', async () => {
    const seen: string[] = []
    const { host, store, time } = createBench(manual(seen))
    await host.start()
    const names = Array.from({ length: 50 }, (_, number) => `n${number}`)
    const submitting = Promise.all(names.map((name) => host.submit(transactionOf(name))))
    await run(time, 1)
    await submitting
    expect(store.written.map(({ kind, operations }) => [kind, operations.length])).toEqual([['record', 50]])
    expect(seen).toEqual(names)
  })

  it('gathers what arrives during a write into the next one', async () => {
    const done: (() => void)[] = []
    const store = new MemoryStore((_, durable) => done.push(durable))
    const { host, time } = createBench(manual([]), { store })
    await host.start()
    for (const name of ['a', 'b', 'c']) {
      void host.submit(transactionOf(name))
      await run(time, 1)
    }
    expect(done).toHaveLength(1)
    done[0]?.()
    await run(time, 1)
    done[1]?.()
    await settle()
    expect(store.written.map(({ operations }) => operations.length)).toEqual([1, 2])
  })

  it('does not queue the same bytes twice', async () => {
    const seen: string[] = []
    const { host, store, time } = createBench(manual(seen))
    await host.start()
    const submitting = Promise.all([host.submit(transactionOf('a')), host.submit(transactionOf('a'))])
    await run(time, 1)
    const [first, second] = await submitting
    const third = await host.submit(transactionOf('a'))
    expect([first, second, third].map((accepted) => accepted?.duplicate)).toEqual([false, true, true])
    expect([seen, host.status().pendingRequests, store.keys('journal').length]).toEqual([['a'], 1, 1])
  })

  it('tells of a duplicate only when the first one is on disk', async () => {
    const done: (() => void)[] = []
    const store = new MemoryStore((_, durable) => done.push(durable))
    const { host, time } = createBench(manual([]), { store })
    await host.start()
    let accepted = 0
    const submit = (): void => void host.submit(transactionOf('a')).then(() => accepted++)
    submit()
    submit()
    await run(time, 5)
    submit()
    await settle()
    expect(accepted).toBe(0)
    done[0]?.()
    await settle()
    expect(accepted).toBe(3)
  })

  it('takes bytes in canonical form, so that two spellings are one request', async () => {
    const { host, time } = createBench(manual([]))
    await host.start()
    const spelled = Buffer.concat([transactionOf('a'), Buffer.from([0xf8, 0x07, 0x01])]) // an unknown field
    const submitting = Promise.all([host.submit(transactionOf('a')), host.submit(spelled)])
    await run(time, 1)
    const [first, second] = await submitting
    expect(second.id).toBe(first.id)
  })

  it('refuses what is no transaction', async () => {
    const { host } = createBench(manual([]))
    await host.start()
    await expect(host.submit(Buffer.from('ff', 'hex'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_NOT_A_TRANSACTION', grpcStatus: 3 })
  })

  it('refuses with a retry hint when too many, or too many bytes, wait', async () => {
    const one = transactionOf('a').length
    for (const limits of [{ maxRequests: 2 }, { maxRequestBytes: 2 * one }]) {
      const { host, time, transport } = createBench(manual([]), { limits })
      await host.start()
      const submitting = Promise.all([host.submit(transactionOf('a')), host.submit(transactionOf('b'))])
      await expect(host.submit(transactionOf('c'))).rejects.toMatchObject({
        code: 'ERR_CONSENSUS_OVERLOADED',
        grpcStatus: 8,
        retryable: true,
        hint: expect.stringMatching(/try again in \d+ ms/),
      })
      await run(time, 1)
      await submitting
      expect((await host.submit(transactionOf('b'))).duplicate).toBe(true)
      transport.message(1, Buffer.from('deliver a'))
      await run(time, 1)
      void host.submit(transactionOf('c'))
      await run(time, 1)
      expect(host.status().pendingRequests).toBe(2)
    }
  })

  it('refuses for good what is larger than the whole pool', async () => {
    const { host } = createBench(manual([]), { limits: { maxRequestBytes: 10 } })
    await host.start()
    await expect(host.submit(transactionOf('large'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_TOO_LARGE', retryable: false })
  })

  it('fails, and stops the peer, when the journal cannot be written', async () => {
    const store = new MemoryStore()
    store.failFrom = 0
    const seen: string[] = []
    const { host, time, fatal } = createBench(manual(seen), { store })
    await host.start()
    const submitting = host.submit(transactionOf('a'))
    const refused = expect(submitting).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    await run(time, 1)
    await refused
    expect([seen, fatal.length]).toEqual([[], 1])
    await expect(host.submit(transactionOf('b'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED' })
  })
})

describe('outcomes', () => {
  it('tell block and index of a committed request, and the error of a rejected one', async () => {
    const { host, time, transport } = createBench(manual([]))
    await host.start()
    const names = ['a', 'fail', 'b']
    const submitting = Promise.all(names.map((name) => host.submit(transactionOf(name))))
    await run(time, 1)
    const accepted = await submitting
    const early = accepted[0]?.outcome()
    transport.message(1, Buffer.from(`deliver ${names.join(' ')}`))
    await run(time, 1)
    expect(await early).toEqual({ status: 'committed', block: 0n, index: 0 })
    expect(await Promise.all(accepted.map((request) => request.outcome()))).toEqual([
      { status: 'committed', block: 0n, index: 0 },
      { status: 'rejected', block: 0n, error: 'it failed' },
      { status: 'committed', block: 0n, index: 1 },
    ])
  })

  it('of a forgotten request do not come, and the journal drops it', async () => {
    const { host, time, transport, store } = createBench(manual([]))
    await host.start()
    const submitting = host.submit(transactionOf('a'))
    await run(time, 1)
    const outcome = (await submitting).outcome()
    const refused = expect(outcome).rejects.toMatchObject({ code: 'ERR_CONSENSUS_DROPPED' })
    transport.message(1, Buffer.from('forget a'))
    await run(time, 1)
    await refused
    expect([store.keys('journal'), host.status().pendingRequests]).toEqual([[], 0])
  })

  it('of an earlier transaction of a txid are told, whatever later one has it', async () => {
    const { host, time, transport } = createBench(manual([]))
    await host.start()
    const first = transactionOf('a')
    const second = encode(Transaction, { ...decode(Transaction, first), payload: Buffer.from('another') })
    for (const bytes of [first, second]) {
      void host.submit(bytes)
      await run(time, 1)
      transport.message(1, Buffer.from('deliver a'))
      await run(time, 1)
    }
    const submitting = host.submit(first)
    await run(time, 1)
    await expect((await submitting).outcome()).resolves.toEqual({ status: 'committed', block: 0n, index: 0 })
  })

  it('that are not known when the peer stops are refused, saying that the request is safe', async () => {
    const { host, time, store } = createBench(manual([]))
    await host.start()
    const submitting = host.submit(transactionOf('a'))
    await run(time, 1)
    const refused = expect((await submitting).outcome()).rejects.toMatchObject({
      code: 'ERR_CONSENSUS_STOPPED',
      grpcStatus: 14,
      message: expect.stringContaining('journaled'),
    })
    await host.stop()
    await refused
    expect(store.keys('journal')).toHaveLength(1)
  })

  it('are refused with its reason when the engine halts, for those who wait and those who ask later; what it was committing still has one', async () => {
    const engine = engineOf((engineHost) => {
      const requests: EngineRequest[] = []
      return {
        onRequest: (request) => void requests.push(request),
        onMessage() {
          engineHost.deliver('block 0', requests.slice(0, 1))
          engineHost.halt('two members disagree')
        },
      }
    })
    const { host, time, store, transport } = createBench(engine)
    await host.start()
    const submitting = Promise.all([host.submit(transactionOf('a')), host.submit(transactionOf('b'))])
    await run(time, 1)
    const [delivered, waiting] = await submitting
    const unavailable = {
      code: 'ERR_CONSENSUS_STOPPED',
      grpcStatus: 14,
      message: expect.stringContaining('the consensus engine is halted: two members disagree'),
    }
    const outcomes = Promise.all([
      expect(delivered.outcome()).resolves.toMatchObject({ status: 'committed' }),
      expect(waiting.outcome()).rejects.toMatchObject(unavailable),
    ])
    transport.message(1, Buffer.from('now'))
    await run(time, 1)
    await outcomes
    await expect(waiting.outcome()).rejects.toMatchObject(unavailable)
    expect(store.keys('journal')).toHaveLength(1)
    await host.stop()
  })
})

describe('the journal', () => {
  it('gives back after a restart what was accepted, in the order of submission', async () => {
    const { host, time, store } = createBench(manual([]))
    await host.start()
    const names = Array.from({ length: 300 }, (_, number) => `n${number}`)
    const submitting = Promise.all(names.map((name) => host.submit(transactionOf(name))))
    await run(time, 1)
    await submitting
    const seen: string[] = []
    const restarted = createBench(manual(seen), { store: store.crash() })
    await restarted.host.start()
    expect(seen).toEqual(names)
    expect((await restarted.host.submit(transactionOf('n7'))).duplicate).toBe(true)
    void restarted.host.submit(transactionOf('new'))
    await run(restarted.time, 1)
    expect(seen.at(-1)).toBe('new')
  })

  it('numbers requests by the time at which they came, for good: they grow also where the clock was set back', async () => {
    const times: (number | undefined)[] = []
    const noting = engineOf(() => ({ onRequest: ({ acceptedAt }) => void times.push(acceptedAt) }))
    const { host, time, store } = createBench(noting)
    await host.start()
    for (const name of ['a', 'b']) void host.submit(transactionOf(name))
    await run(time, 1)
    const [first = 0, second = 0] = times.splice(0)
    expect([first, second - first]).toEqual([EPOCH_MS * 1000, 1])
    const behind = createVirtualClock(time, undefined, () => -60_000)
    const restarted = createBench(noting, { store: store.crash(), clock: behind, time })
    await restarted.host.start()
    void restarted.host.submit(transactionOf('c'))
    await run(restarted.time, 1)
    expect(times).toEqual([first, second, second + 1])
  })

  it('drops a request in the very write that commits its block', async () => {
    const { host, time, store, transport } = createBench(manual([]))
    await host.start()
    void host.submit(transactionOf('a'))
    await run(time, 1)
    transport.message(1, Buffer.from('deliver a'))
    await run(time, 1)
    const block = store.written.find(({ kind }) => kind === 'block')
    expect(block?.operations.map(({ namespace, value }) => [namespace, value !== undefined])).toEqual([
      ['chain', true],
      ['journal', false],
    ])
    expect(store.keys('journal')).toEqual([])
  })

  it('does not bring back a request whose block, through another validator, overtook its own write', async () => {
    const seen: string[] = []
    const bytes = transactionOf('a')
    const engine = engineOf((host) => ({
      onRequest: (request) => void seen.push(payload(request)),
      onMessage: () => host.deliver('theirs', [{ id: createHash('shake256', { outputLength: 32 }).update(bytes).digest('hex'), bytes }]),
    }))
    let release = (): void => undefined
    const executing = new Promise<void>((resolve) => {
      release = resolve
    })
    const disk: (() => void)[] = []
    const slow = new MemoryStore((_, durable) => disk.push(durable))
    const { host, time, store, transport } = createBench(engine, { chaincode: fakeChaincode(() => executing), store: slow })
    await host.start()
    transport.message(1, Buffer.from('go'))
    await run(time, 1)
    const submitting = host.submit(bytes) // gathered: its write has not begun
    release()
    await settle() // the block is being written
    await run(time, 5) // now the journal would be
    for (const durable of disk) durable()
    await settle()
    const accepted = await submitting
    expect(await accepted.outcome()).toEqual({ status: 'committed', block: 0n, index: 0 })
    expect([seen, store.keys('journal'), host.status().pendingRequests]).toEqual([[], [], 0])
  })
})

describe('fair shares of the pool', () => {
  const LIMITS = { limits: { maxRequests: 10 } }

  it('refuses an origin that floods, with a time to come again, and takes what others send', async () => {
    const { host, time } = createBench(manual([]), LIMITS)
    await host.start()
    const flood = 'abcdefgh'.split('').map((name) => host.submit(transactionOf(name), { origin: '10.0.0.1' }))
    await run(time, 1)
    await Promise.all(flood)
    await expect(host.submit(transactionOf('i'), { origin: '10.0.0.1' })).rejects.toMatchObject({
      code: 'ERR_CONSENSUS_OVERLOADED',
      grpcStatus: 8,
      message: expect.stringContaining('8 of them from 10.0.0.1'),
      details: { retryAfterMs: expect.any(Number) },
    })
    const other = host.submit(transactionOf('j'), { origin: '10.0.0.2' })
    await run(time, 1)
    expect((await other).duplicate).toBe(false)
  })

  it('says so before a transaction is made, too', async () => {
    const { host, time } = createBench(manual([]), LIMITS)
    await host.start()
    for (const name of 'abcdefgh') void host.submit(transactionOf(name), { origin: '10.0.0.1' })
    await run(time, 1)
    expect(() => host.checkRoom('10.0.0.1')).toThrow('8 of them from 10.0.0.1')
    expect(() => host.checkRoom('10.0.0.2')).not.toThrow()
  })

  it('gives an origin its share back as its requests end', async () => {
    const { host, time, transport } = createBench(manual([]), LIMITS)
    await host.start()
    for (const name of 'abcdefgh') void host.submit(transactionOf(name), { origin: '10.0.0.1' })
    await run(time, 1)
    transport.message(1, Buffer.from('deliver a'))
    await run(time, 1)
    expect(() => host.checkRoom('10.0.0.1')).not.toThrow()
  })
})
