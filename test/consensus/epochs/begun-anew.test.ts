import { describe, expect, it } from 'vitest'
import type { ConsensusHostOptions } from '../../../plugins/consensus/index.js'
import { encode, HostNote } from '../../../proto/index.js'
import { fakeChaincode, transactionOf } from '../kit/fake-ledger.js'
import { createBench, engineOf, ManualTransport, run, settle } from '../kit/harness.js'
import { MemoryStore } from '../kit/memory-store.js'

const EVERYBODY_ELSE = ['vp1', 'vp2', 'vp3']

/** Every instance says its number every 10 ms, and makes a block of each request. `born`: the epoch of each instance. */
function counted(born: bigint[]) {
  return engineOf((host, start) => {
    const number = born.push(start.epoch)
    host.setTimer('beat', 10)
    if (!start.restored.has('a record')) host.put('a record', Buffer.of(1))
    return {
      onRequest: (request) => host.deliver('block', [request]),
      onTimer() {
        host.broadcast(Buffer.from(String(number)))
        host.setTimer('beat', 10)
      },
    }
  })
}

/** Executes when it is told to. */
function patientChaincode() {
  const waiting: (() => void)[] = []
  return { chaincode: fakeChaincode(() => new Promise<void>((resolve) => void waiting.push(resolve))), goOn: () => waiting.shift()?.() }
}

describe('an engine that is begun anew', () => {
  it('twice at once, while a block is executed, runs once and after that block', async () => {
    const born: bigint[] = []
    const { chaincode, goOn } = patientChaincode()
    const { host, transport, ledger, time, fatal } = createBench(counted(born), { chaincode })
    await host.start()
    await run(time, 5)
    const submitting = host.submit(transactionOf('slow'))
    await run(time, 5)
    const restarts = Promise.all([host.restartEngine(), host.restartEngine()])
    await settle()
    expect(born).toHaveLength(1)
    goOn()
    await submitting
    await run(time, 5)
    await restarts
    transport.sent.length = 0
    await run(time, 100)
    expect(new Set(transport.sent.map(({ text }) => text))).toEqual(new Set([String(born.length)]))
    expect(ledger.payloads()).toEqual([['slow']])
    expect(fatal).toEqual([])
  })

  it('does not come back while its operator has it stopped for a recovery', async () => {
    const born: bigint[] = []
    const { host, time } = createBench(counted(born))
    await host.start()
    await Promise.all([host.recovery.begin({ engine: 'test', acceptLoss: [] }), settle()])
    await expect(host.restartEngine()).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED' })
    await run(time, 3000)
    expect(born).toHaveLength(1)
    expect(host.status().halted).toMatch(/operator has stopped/)
  })

  it('does not come back either if a restart was under way when the recovery began', async () => {
    const born: bigint[] = []
    const { host, time } = createBench(counted(born))
    await host.start()
    const restarting = host.restartEngine()
    await Promise.all([host.recovery.begin({ engine: 'test', acceptLoss: [] }), restarting])
    const before = born.length
    await run(time, 3000)
    expect(born).toHaveLength(before)
    expect(host.queues()).toEqual({ inbox: 0, outbox: 0 })
    expect(host.metrics.size).toBe(0)
  })
})

describe('the other members of an engine that is begun anew', () => {
  const note = (epoch: bigint): Uint8Array => encode(HostNote, { note: { $case: 'begunAnew', value: { epoch } } })

  it('are told, and their engines see the link break: what it had not stored is lost to it', async () => {
    const notes = new ManualTransport()
    const { host, time } = createBench(counted([]), { notes })
    await host.start()
    await run(time, 5)
    const told = (): unknown[] => notes.sent.flatMap(({ to, text }) => (text === Buffer.from(note(0n)).toString() ? [to] : []))
    expect(told()).toEqual([])
    await Promise.all([host.restartEngine(), run(time, 5)])
    expect(told()).toEqual([1, 2, 3])
  })

  it('believe it once a second at most', async () => {
    const notes = new ManualTransport()
    const seen: string[] = []
    const { host, transport, time } = createBench(
      engineOf(() => ({ onPeer: (member, isUp) => void seen.push(`${member} ${isUp ? 'up' : 'down'}`) })),
      { notes },
    )
    await host.start()
    transport.peer(1, true)
    notes.peer(1, true)
    for (let each = 0; each < 500; each++) {
      notes.message(1, note(0n))
      await run(time, 5)
    }
    await run(time, 2000)
    expect(seen.slice(0, 3)).toEqual(['1 up', '1 down', '1 up'])
    expect(seen.length).toBeLessThanOrEqual(1 + 2 * 4)
    seen.length = 0
    for (const epoch of [1n, 2n ** 63n]) notes.message(1, note(epoch))
    notes.message(2, note(0n))
    await run(time, 2000)
    expect(seen).toEqual([])
  })
})

describe('an engine that was given up by a recovery', () => {
  it('does not vote again if the peer dies before its records are gone', async () => {
    const born: bigint[] = []
    let isHeld = false
    // What is written after the record of the new epoch does not become durable.
    const store = new MemoryStore((_write, done) => void (isHeld || queueMicrotask(done)))
    const transfer: ConsensusHostOptions['transfer'] = async () => ({ reached: true })
    const first = createBench(counted(born), { store, transfer })
    await first.host.start()
    const submitting = first.host.submit(transactionOf('a'))
    await run(first.time, 5)
    await submitting
    const beginning = first.host.recovery.begin({ engine: 'test', acceptLoss: EVERYBODY_ELSE })
    for (let turn = 0; turn < 1000 && first.host.recovery.record === undefined; turn++) await Promise.resolve()
    expect(first.host.recovery.record).toBeDefined()
    isHeld = true
    await beginning
    first.host.kill()
    born.length = 0
    const second = createBench(counted(born), { store: store.crash(), transfer })
    await second.host.start()
    await run(second.time, 100)
    expect(born).toEqual([1n])
  })
})
