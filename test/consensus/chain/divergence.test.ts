import { describe, expect, it } from 'vitest'
import { decode, encode, HostNote } from '../../../proto/index.js'
import { type ConsensusHostOptions, type ConsensusTransport, type Engine, type EngineFactory, requestId } from '../../../plugins/consensus/index.js'
import { VirtualTime } from '../../kit/virtual-clock.js'
import { type FakeLedger, fakeChaincode, transactionOf } from '../kit/fake-ledger.js'
import { type Bench, createBench, run, settle } from '../kit/harness.js'
import type { MemoryStore } from '../kit/memory-store.js'

/** Every member makes a block of each request that the first one accepts. */
const obey: EngineFactory = {
  name: 'obey',
  version: '1',
  agreement: true,
  tolerates: (n) => ({ crashed: 0, byzantine: Math.floor((n - 1) / 3) }),
  parseOptions: (raw) => raw,
  create(host, _options, start): Engine {
    if (start.divergedAt !== undefined) host.status({ divergedAt: Number(start.divergedAt) })
    const inChain = new Set(start.executed)
    const deliver = (bytes: Uint8Array): void => {
      const id = requestId(bytes)
      if (!inChain.has(id)) host.deliver('', [{ id, bytes }])
    }
    return {
      onRequest({ bytes }) {
        if (host.self !== 0) return host.send(0, bytes)
        host.broadcast(bytes)
        deliver(bytes)
      },
      onMessage(from, bytes) {
        if (host.self === 0) host.broadcast(bytes)
        if (host.self === 0 || from === 0) deliver(bytes)
      },
    }
  },
}

/** Executes as if everything were rejected from a transaction on: the blocks are others then. */
function brokenFrom(payload: string): ReturnType<typeof fakeChaincode> {
  const sound = fakeChaincode()
  let isBroken = false
  return {
    async execute(batch, transactions) {
      isBroken ||= transactions.some(({ transaction }) => Buffer.from(transaction.payload).toString() === payload)
      const executed = await sound.execute(batch, transactions)
      return isBroken ? executed.map(({ bytes, result }) => ({ bytes, result: { ...result, error: 'a local fault' } })) : executed
    },
  }
}

type Handlers = Parameters<ConsensusTransport['receive']>[0]

/** Links with a delay of 5 ms. `receivers`: by member. */
function link(time: VirtualTime, receivers: Handlers[], self: number): ConsensusTransport {
  return {
    send: (to, bytes) => void time.schedule(5, () => receivers[to]?.message(self, bytes)),
    receive: (handlers) => void (receivers[self] = handlers),
  }
}

/** Four hosts; each diverges at the transaction named for it, the last one at 12, and can copy the ledger of member 0. */
async function network(
  overrides: Omit<Partial<ConsensusHostOptions>, 'store'> = {},
  brokenAt: readonly string[] = ['never', 'never', 'never', '12'],
): Promise<readonly Bench[]> {
  const time = new VirtualTime()
  const [messages, notes]: [Handlers[], Handlers[]] = [[], []]
  const benches: Bench[] = []
  for (const self of [0, 1, 2, 3]) {
    const chaincode = { chaincode: brokenFrom(brokenAt[self] ?? 'never') }
    const transfer: ConsensusHostOptions['transfer'] = async () => {
      const [source, broken] = [benches[0], benches[self]]
      if (!source || !broken) return { reached: false, reason: 'there is nobody' }
      copy(source.ledger, broken.ledger)
      return { reached: true }
    }
    benches.push(
      createBench(obey, { size: 4, self, time, transport: link(time, messages, self), notes: link(time, notes, self), transfer, ...chaincode, ...overrides }),
    )
  }
  for (const { host } of benches) await host.start()
  return benches
}

function copy(from: FakeLedger, to: FakeLedger): void {
  to.replaceWith(from)
}

async function submit([first]: readonly Bench[], from: number, to: number): Promise<void> {
  if (!first) throw new Error('a network has a first member')
  for (let n = from; n <= to; n++) {
    const accepted = first.host.submit(transactionOf(String(n)))
    await run(first.time, 50)
    await accepted
  }
}

const headOf = ({ ledger }: Bench): string => Buffer.from(ledger.info().currentBlockHash).toString('hex')

describe('a validator whose chaincode gave another result', () => {
  it('stops voting, names the first block that differs, takes the chain of the others and goes on', async () => {
    const benches = await network()
    const [first, , , broken] = benches
    if (!first || !broken) throw new Error('four members')
    await submit(benches, 0, 12)
    expect(headOf(broken)).not.toBe(headOf(first))
    expect(broken.host.valid).toBe(true)
    await submit(benches, 13, 19)
    await run(broken.time, 2000)
    expect(broken.log.lines.some((line) => line.startsWith('critical this validator has diverged'))).toBe(true)
    expect(broken.host.status()).toMatchObject({ valid: true, divergence: expect.stringContaining('block 12 was the first'), engineView: { divergedAt: 12 } })
    expect(headOf(broken)).toBe(headOf(first))
    expect(first.host.status().divergence).toBeUndefined()
  })

  it('tells its engine also if it dies as soon as it has their chain; and no engine that comes after a block is made', async () => {
    let found: MemoryStore | undefined
    const benches: Bench[] = []
    benches.push(
      ...(await network({
        transfer: async () => {
          const [source, , , broken] = benches
          if (source && broken) copy(source.ledger, broken.ledger)
          await settle()
          found ??= broken?.store.crash()
          return { reached: true }
        },
      })),
    )
    await submit(benches, 0, 19)
    const [first] = benches
    if (first) await run(first.time, 3000)
    const again = createBench(obey, { self: 3, ...(found ? { store: found } : {}) })
    await again.host.start()
    expect(again.host.status().engineView).toEqual({ divergedAt: 0 })
    again.transport.message(0, transactionOf('20'))
    await run(again.time, 50)
    expect(again.ledger.payloads().at(-1)).toEqual(['20'])
    const later = createBench(obey, { self: 3, store: again.store.crash() })
    await later.host.start()
    expect(later.host.status().engineView).toEqual({})
  })

  it('answers no queries and accepts nothing while it has no chain to take, and tries again', async () => {
    let isReachable = false
    const benches = await network({
      transfer: async () => (isReachable ? { reached: false, reason: 'not this way' } : { reached: false, reason: 'nobody has it' }),
    })
    const broken = benches[3]
    if (!broken) throw new Error('four members')
    await submit(benches, 0, 19)
    await run(broken.time, 3000)
    expect(broken.host.valid).toBe(false)
    await expect(broken.host.submit(transactionOf('late'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED', grpcStatus: 14 })
    isReachable = true
    await run(broken.time, 1000)
    const tries = broken.log.lines.filter((line) => line.includes('could not be brought'))
    expect(tries.length).toBeGreaterThan(2)
    expect(tries.at(-1)).toContain('not this way')
  })

  it('is found too if the engine has seen it first and has halted', async () => {
    const halting: EngineFactory = {
      ...obey,
      create(host, options, start) {
        const inner = obey.create(host, options, start)
        return {
          ...inner,
          onDelivered: (_tag, block) => {
            if (host.self === 3 && block !== 'skipped' && block.rejected && start.divergedAt === undefined) host.halt('others have another result')
          },
        }
      },
    }
    const benches = await network({ engine: { factory: halting, options: {} } })
    const [first, , , broken] = benches
    if (!first || !broken) throw new Error('four members')
    await submit(benches, 0, 14)
    await run(broken.time, 5000)
    expect(broken.host.status()).toMatchObject({ halted: undefined, divergence: expect.stringContaining('block 12 was the first') })
    expect(headOf(broken)).toBe(headOf(first))
  })

  it('believes no single member, and survives notes that are no notes', async () => {
    const time = new VirtualTime()
    const notes: Handlers[] = []
    const bench = createBench(obey, { size: 4, self: 0, time, notes: link(time, notes, 0) })
    await bench.host.start()
    await submit([bench], 1, 10)
    const lie = encode(HostNote, { note: { $case: 'heads', value: { heads: [{ height: 10n, hash: Buffer.from('another') }] } } })
    for (const bytes of [lie, lie, Buffer.from('ffffff', 'hex'), Buffer.alloc(100_000, 1), Buffer.alloc(0)]) notes[0]?.message(1, bytes)
    notes[0]?.message(9, lie)
    await run(time, 1000)
    expect(bench.host.valid).toBe(true)
    notes[0]?.message(2, lie)
    await run(time, 1000)
    // The third of the others may say that this one is right: it is waited for.
    expect(bench.host.valid).toBe(true)
    await run(time, 2000)
    expect(bench.host.valid).toBe(false)
  })
})

describe('validators of whom more differ than may be faulty', () => {
  const UNDECIDED = /^the validators disagree about block 12: its hash is [0-9a-f]+ at vp/

  it('say who has what, accept nothing and answer nothing, and repair nobody, if they stand two against two', async () => {
    const benches = await network({}, ['12', '12', 'never', 'never'])
    await submit(benches, 0, 19)
    for (const { time } of benches.slice(0, 1)) await run(time, 3000)
    for (const { host, log } of benches) {
      expect(host.status()).toMatchObject({ valid: false, halted: expect.stringMatching(UNDECIDED), divergence: expect.stringMatching(UNDECIDED) })
      expect(host.status().halted).toContain('vp0, vp1')
      await expect(host.submit(transactionOf('late'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED', message: expect.stringContaining('disagree') })
      expect(log.lines.filter((line) => line.startsWith('critical'))).toHaveLength(1)
      expect(log.lines.some((line) => line.includes('this validator has diverged'))).toBe(false)
    }
  })

  it('say it also if no two have the same', async () => {
    const benches = await network({}, ['12', '13', '14', 'never'])
    await submit(benches, 0, 19)
    const [first] = benches
    if (first) await run(first.time, 3000)
    for (const { host } of benches) for (const id of ['vp0', 'vp1', 'vp2', 'vp3']) expect(host.status().halted).toContain(id)
  })

  it('go on by themselves when they have one chain again', async () => {
    const time = new VirtualTime()
    const notes: Handlers[] = []
    const { host, ledger, log } = createBench(obey, { size: 4, self: 0, time, notes: link(time, notes, 0) })
    await host.start()
    for (let n = 1; n <= 10; n++) {
      const accepted = host.submit(transactionOf(String(n)))
      await run(time, 50)
      await accepted
    }
    const { height, currentBlockHash: own } = ledger.info()
    const say = (member: number, hash: Uint8Array): void => {
      notes[0]?.message(member, encode(HostNote, { note: { $case: 'heads', value: { heads: [{ height, hash }] } } }))
    }
    say(1, Buffer.from('another'))
    say(2, Buffer.from('another'))
    say(3, own)
    await run(time, 5000)
    expect(host.status()).toMatchObject({ valid: false, halted: expect.stringContaining('disagree') })
    // Their operators have given them the other ledger.
    say(1, own)
    await run(time, 5000)
    expect(host.status()).toMatchObject({ valid: true, halted: undefined })
    expect(log.lines).toContainEqual(expect.stringContaining('the validators have one chain again'))
    const accepted = host.submit(transactionOf('later'))
    await run(time, 50)
    expect((await accepted).duplicate).toBe(false)
  })

  it('repair those that stand alone, where two have the same: then all have that', async () => {
    const benches = await network({}, ['never', 'never', '13', '12'])
    await submit(benches, 0, 19)
    const [first] = benches
    if (!first) throw new Error('four members')
    await run(first.time, 8000)
    for (const bench of benches) expect(headOf(bench)).toBe(headOf(first))
    for (const { host } of benches) expect(host.status()).toMatchObject({ valid: true, halted: undefined })
  })

  it('name a single one that differs, once, and go on', async () => {
    const benches = await network()
    await submit(benches, 0, 19)
    const told = benches[0]?.log.lines.filter((line) => line.includes('a validator has another block than this one')) ?? []
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('vp3')
  })
})

describe('a validator whose engine cannot learn what it missed', () => {
  it('takes the blocks that enough others have, and begins with a new engine', async () => {
    const deaf: EngineFactory = {
      ...obey,
      create(host, options, start) {
        const inner = obey.create(host, options, start)
        return host.self === 3 && host.head.height < 5n ? {} : inner
      },
    }
    const benches = await network({ engine: { factory: deaf, options: {} } })
    const [first, , , behind] = benches
    if (!first || !behind) throw new Error('four members')
    await submit(benches, 0, 6)
    expect(behind.ledger.height()).toBe(0n)
    await run(behind.time, 8000)
    expect(headOf(behind)).toBe(headOf(first))
    expect(behind.host.status()).toMatchObject({ valid: true, halted: undefined })
    expect(behind.host.status().divergence).toBeUndefined()
    await submit(benches, 7, 8)
    expect(headOf(behind)).toBe(headOf(first))
  })
})

describe('a healthy validator', () => {
  it('says its head every ten blocks, and tells its newest heads to whoever asks', async () => {
    const time = new VirtualTime()
    const sent: HostNote[] = []
    let received: Handlers | undefined
    const notes: ConsensusTransport = { send: (_to, bytes) => void sent.push(decode(HostNote, bytes)), receive: (handlers) => void (received = handlers) }
    const bench = createBench(obey, { size: 2, self: 0, time, notes })
    await bench.host.start()
    await submit([bench], 1, 21)
    const heightsOf = (note: HostNote | undefined): bigint[] => (note?.note?.$case === 'heads' ? note.note.value.heads.map(({ height }) => height) : [])
    expect(sent.map(heightsOf)).toEqual([[10n], [20n]])
    received?.message(1, encode(HostNote, { note: { $case: 'query', value: { height: 3n } } }))
    received?.message(1, encode(HostNote, { note: { $case: 'query', value: { height: 3n } } }))
    expect(sent).toHaveLength(3)
    expect(heightsOf(sent[2])).toEqual([3n, ...Array.from({ length: 16 }, (_, below) => 21n - BigInt(below))])
  })
})
