import { describe, expect, it } from 'vitest'
import { PeerError } from '../../../kernel/index.js'
import { defaultLimits, type Engine, type EngineEvent, type EngineHost, requestId } from '../../../plugins/consensus/index.js'
import { Deliveries } from '../../../plugins/consensus/execution/deliveries.js'
import { BlockExecution } from '../../../plugins/consensus/execution/execution.js'
import { RequestPool } from '../../../plugins/consensus/pool/pool.js'
import { createEngineRecords } from '../../../plugins/consensus/engine/records.js'
import { FakeLedger, fakeChaincode, transactionOf } from '../kit/fake-ledger.js'
import { createBench, engineOf, MemoryLog, run, settle } from '../kit/harness.js'
import { MemoryStore } from '../kit/memory-store.js'

const request = (payload: string) => {
  const bytes = transactionOf(payload)
  return { id: requestId(bytes), bytes }
}

/** An engine that does once what the test says, at its start. */
const doing = (act: (host: EngineHost) => void) =>
  engineOf((host) => {
    act(host)
    return {}
  })

const names = (events: readonly { type: string }[]): unknown[] =>
  events.map((event) => ('tag' in event ? [event.type, event.tag, ...('block' in event && event.block === 'skipped' ? ['skipped'] : [])] : [event.type]))

describe('what a sealed engine asks of the ledger', () => {
  it('is answered, each time, however often it asks', () => {
    const answers: EngineEvent[] = []
    const later: (() => void)[] = []
    const ignored = (): undefined => undefined
    const store = new MemoryStore()
    const ledger = new FakeLedger(store)
    const deliveries = new Deliveries({
      execution: new BlockExecution(ledger, fakeChaincode(), new MemoryLog(), ignored, () => {
        throw new Error('nothing is executed')
      }),
      ledger,
      pool: new RequestPool({ store, limits: defaultLimits, defer: ignored, elapsedMs: () => 0, now: () => 0, ready: ignored, ended: ignored, fatal: ignored }),
      records: createEngineRecords(store, 0n),
      window: 8,
      maxTold: 8,
      transfer: undefined,
      metadata: ignored,
      tookBlocks: async () => undefined,
      open: () => [],
      grown: ignored,
      defer: ignored,
      later: (task) => void later.push(task),
      answer: (event) => void answers.push(event),
      fault: (reason) => expect(reason).toBe('none'),
      fatal: (reason) => expect(reason).toBe('none'),
    })
    deliveries.seal()
    for (let each = 0; each < 20; each++) {
      deliveries.add({ type: 'deliver', tag: String(each), requests: [], metadata: undefined, put: [] })
      later.shift()?.()
    }
    expect(names(answers)).toEqual(Array.from({ length: 20 }, (_, each) => ['delivered', String(each), 'skipped']))
    expect(deliveries.isIdle).toBe(true)
  })
})

describe('deliveries', () => {
  it('become blocks in order, each with its metadata and its records in one write', async () => {
    const { host, ledger, store, events } = createBench(
      doing((engineHost) => {
        engineHost.deliver('one', [request('a')], { metadata: Buffer.from('m1'), put: [['lastExec', Buffer.from('1')]] })
        engineHost.deliver('two', [request('b'), request('c')])
        engineHost.deliver('empty', [])
      }),
    )
    await host.start()
    await settle()
    expect(ledger.payloads()).toEqual([['a'], ['b', 'c'], []])
    expect(Buffer.from(ledger.block(0n)?.consensusMetadata ?? []).toString()).toBe('m1')
    expect(store.written.map(({ kind, operations }) => [kind, operations.map(({ namespace }) => namespace)])).toEqual([
      ['block', ['chain', 'consensus']],
      ['block', ['chain']],
      ['block', ['chain']],
    ])
    expect(names(events)).toEqual([
      ['delivered', 'one'],
      ['delivered', 'two'],
      ['delivered', 'empty'],
    ])
    expect(events[1]).toMatchObject({ block: { number: 1n, head: { height: 2n } } })
  })

  it('begin a restart with the metadata of the last block', async () => {
    const first = createBench(doing((engineHost) => engineHost.deliver('one', [], { metadata: Buffer.from('m1') })))
    await first.host.start()
    await settle()
    let found: unknown
    const second = createBench(
      engineOf((_host, start) => {
        found = [start.head.height, Buffer.from(start.metadata ?? []).toString()]
        return {}
      }),
      { store: first.store.crash() },
    )
    await second.host.start()
    expect(found).toEqual([1n, 'm1'])
  })

  it('leave out what is no transaction, on every validator alike (spec/consensus.md §12.7)', async () => {
    const { host, ledger, log } = createBench(
      doing((engineHost) => engineHost.deliver('one', [request('a'), { id: 'x', bytes: Buffer.from('ff', 'hex') }, request('b')])),
    )
    await host.start()
    await settle()
    expect(ledger.payloads()).toEqual([['a', 'b']])
    expect(log.lines.some((line) => line.includes('is no transaction'))).toBe(true)
  })

  it('leave out what the chain or the batch holds already; its own validator is told where that is', async () => {
    const { host, ledger, log, time } = createBench(
      engineOf((engineHost) => {
        engineHost.deliver('one', [request('a'), request('b'), request('a')])
        return {
          // It had ordered it before it heard of it.
          onRequest: (own) => {
            engineHost.deliver('two', [own, request('c')])
            engineHost.deliver('three', [request('b')])
          },
        }
      }),
    )
    await host.start()
    await settle()
    const submitting = host.submit(transactionOf('a'), { isNew: true })
    await run(time, 10)
    const accepted = await submitting
    expect(ledger.payloads()).toEqual([['a', 'b'], ['c'], []])
    expect(log.lines.filter((line) => line.includes('was executed before'))).toHaveLength(3)
    expect(host.status().pendingRequests).toBe(0)
    await expect(accepted.outcome()).resolves.toEqual({ status: 'committed', block: 0n, index: 0 })
  })

  it('hold it again in a network with originals, which execute everything that is ordered (spec/consensus.md §12.7)', async () => {
    const deliverTwice = doing((engineHost) => {
      engineHost.deliver('one', [request('a'), request('a')])
      engineHost.deliver('two', [request('a')])
    })
    const { host, ledger } = createBench(deliverTwice, { executesRepetitions: true })
    await host.start()
    await settle()
    expect(ledger.payloads()).toEqual([['a', 'a'], ['a']])
  })

  it('execute a rejected transaction again: it is in no block', async () => {
    const deliverTwice = doing((engineHost) => {
      engineHost.deliver('one', [request('fails')])
      engineHost.deliver('two', [request('fails')])
    })
    const { host, events } = createBench(deliverTwice)
    await host.start()
    await settle()
    expect(events.map((event) => (event.type === 'delivered' && event.block !== 'skipped' ? event.block.rejected : event.type))).toEqual([
      [request('fails').id],
      [request('fails').id],
    ])
  })

  it('may run ahead within the window; one more halts the engine and says so', async () => {
    const { host } = createBench(
      doing((engineHost) => {
        for (let block = 0; block <= engineHost.deliveryWindow; block++) engineHost.deliver(`block ${block}`, [])
      }),
    )
    await host.start()
    expect(host.status().halted).toMatch(/8 deliveries at a time .*'block 8' was one more/)
  })

  it('may go on for ever when each answer brings the next', async () => {
    let delivered = 0
    const { host, ledger } = createBench(
      engineOf((engineHost) => {
        for (let block = 0; block < engineHost.deliveryWindow; block++) engineHost.deliver('block', [])
        return {
          onDelivered() {
            delivered++
            if (delivered < 100) engineHost.deliver('block', [])
          },
        }
      }),
    )
    await host.start()
    await settle()
    await settle()
    expect([host.status().halted, ledger.height()]).toEqual([undefined, 107n])
  })

  it('stop the peer when a block cannot be written', async () => {
    const bench = createBench(doing((engineHost) => engineHost.deliver('one', [request('a')])))
    bench.store.failFrom = 0
    await bench.host.start()
    await settle()
    expect([bench.fatal.length, names(bench.events), bench.ledger.height()]).toEqual([1, [], 0n])
  })

  it('in progress are finished by stop, and no more are begun', async () => {
    let release = (): void => undefined
    const executing = new Promise<void>((resolve) => {
      release = resolve
    })
    const { host, ledger } = createBench(
      doing((engineHost) => {
        engineHost.deliver('one', [request('a')])
        engineHost.deliver('two', [request('b')])
      }),
      { chaincode: fakeChaincode(() => executing) },
    )
    await host.start()
    const stopping = host.stop()
    await expect(host.submit(transactionOf('late'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED', message: expect.stringContaining('stopping') })
    release()
    await stopping
    expect(ledger.payloads()).toEqual([['a']])
  })

  it('are not written any more after kill', async () => {
    let release = (): void => undefined
    const executing = new Promise<void>((resolve) => {
      release = resolve
    })
    const { host, store } = createBench(
      doing((engineHost) => engineHost.deliver('one', [request('a')])),
      { chaincode: fakeChaincode(() => executing) },
    )
    await host.start()
    host.kill()
    release()
    await settle()
    expect(store.written).toEqual([])
  })

  it('that never finish do not keep stop from ending', async () => {
    const { host, time, log } = createBench(
      doing((engineHost) => engineHost.deliver('one', [request('a')])),
      { chaincode: fakeChaincode(() => new Promise(() => undefined)), limits: { stopTimeoutMs: 100 } },
    )
    await host.start()
    const stopping = host.stop()
    await run(time, 100)
    await stopping
    expect(log.lines.some((line) => line.includes('did not finish in time'))).toBe(true)
  })
})

describe('executing before committing', () => {
  it('gathers executions into the one open batch and commits them as one block', async () => {
    const { host, ledger, events } = createBench(
      doing((engineHost) => {
        engineHost.execute('first', [request('a'), request('fail')])
        engineHost.execute('second', [request('b')])
        engineHost.commit('block', Buffer.from('m'))
      }),
    )
    await host.start()
    await settle()
    expect(ledger.payloads()).toEqual([['a', 'b']])
    expect(names(events)).toEqual([
      ['executed', 'first'],
      ['executed', 'second'],
      ['delivered', 'block'],
    ])
    expect(events[0]).toMatchObject({ outcomes: [{ succeeded: true }, { succeeded: false }] })
  })

  it('can be rolled back', async () => {
    const { host, ledger } = createBench(
      doing((engineHost) => {
        engineHost.execute('first', [request('a')])
        engineHost.rollback()
        engineHost.deliver('second', [request('b')])
      }),
    )
    await host.start()
    await settle()
    expect(ledger.payloads()).toEqual([['b']])
  })

  it.each([
    ['commit without an open batch', (host: EngineHost) => host.commit('x'), /without an open batch/],
    [
      'deliver into an open batch',
      (host: EngineHost) => {
        host.execute('x', [])
        host.deliver('y', [])
      },
      /while a batch is open/,
    ],
  ])('halts an engine that would %s', async (_what, act, message) => {
    const { host, ledger } = createBench(doing(act))
    await host.start()
    await settle()
    expect(host.status().halted).toMatch(message)
    expect(ledger.isOpen).toBe(false)
  })
})

describe('state transfer', () => {
  it('to the present head is made if the world state is behind it', async () => {
    const transfers: bigint[] = []
    let stateBlock: bigint | undefined = 7n
    const ledger = Object.assign(new FakeLedger(new MemoryStore()), { stateBlock: () => stateBlock })
    const { host, events } = createBench(
      doing((engineHost) => engineHost.transferTo({ height: 0n, hash: engineHost.head.hash, members: [] })),
      {
        ledger,
        transfer: async ({ height }) => {
          transfers.push(height)
          stateBlock = undefined
          return { reached: true }
        },
      },
    )
    await host.start()
    await settle()
    expect(transfers).toEqual([0n])
    expect(events).toMatchObject([{ type: 'transferred', result: { reached: true } }])
  })

  it('to the present head is reached at once', async () => {
    const { host, events } = createBench(doing((engineHost) => engineHost.transferTo({ height: 0n, hash: engineHost.head.hash, members: [] })))
    await host.start()
    await settle()
    expect(events).toMatchObject([{ type: 'transferred', result: { reached: true, head: { height: 0n } } }])
  })

  it('that this peer cannot write ends the peer; any other failure is the answer', async () => {
    const ended = async (code: `ERR_${string}`) => {
      const transfer = () => Promise.reject(new PeerError(code, 'no room'))
      const { host, events, fatal } = createBench(
        doing((engineHost) => engineHost.transferTo({ height: 9n, hash: Buffer.from('h'), members: [1] })),
        { transfer },
      )
      await host.start()
      await settle()
      return { events, fatal }
    }
    expect(await ended('ERR_STORE_WRITE')).toMatchObject({ events: [], fatal: [{ code: 'ERR_STORE_WRITE' }] })
    expect(await ended('ERR_LEDGER_DAMAGED')).toMatchObject({ events: [{ type: 'transferred', result: { reached: false, reason: 'no room' } }], fatal: [] })
  })

  it('without a network is answered with the reason', async () => {
    const { host, events } = createBench(doing((engineHost) => engineHost.transferTo({ height: 9n, hash: Buffer.from('h'), members: [1] })))
    await host.start()
    await settle()
    expect(events).toMatchObject([{ type: 'transferred', result: { reached: false, reason: expect.stringContaining('network plugin') } }])
  })

  it('ends the own requests that its blocks hold, and hands out again those that are open', async () => {
    const commit = async (ledger: FakeLedger): Promise<void> => {
      await ledger.openBatch().commit([{ bytes: transactionOf('a'), result: { txid: 'tx-a' } }], undefined)
    }
    const theirs = new FakeLedger(new MemoryStore())
    await commit(theirs)
    const { host, time, transport, events, store, ledger } = createBench(
      engineOf((engineHost) => ({ onMessage: () => engineHost.transferTo({ height: 1n, hash: theirs.info().currentBlockHash, members: [] }) })),
      {
        transfer: async () => {
          await commit(ledger)
          return { reached: true }
        },
      },
    )
    await host.start()
    const submitting = Promise.all(['a', 'b'].map((name) => host.submit(transactionOf(name))))
    await run(time, 1)
    transport.message(1, Buffer.from('transfer'))
    await run(time, 1)
    expect(await (await submitting)[0]?.outcome()).toEqual({ status: 'committed', block: 0n, index: 0 })
    expect(store.keys('journal')).toHaveLength(1)
    expect(events.slice(-2)).toMatchObject([
      { type: 'transferred', result: { reached: true } },
      { type: 'request', request: request('b') },
    ])
  })

  it('that ended just before a power cut leaves nothing to be ordered twice', async () => {
    const first = createBench(engineOf(() => ({})))
    await first.host.start()
    void first.host.submit(transactionOf('a'))
    await run(first.time, 1)
    await first.ledger.openBatch().commit([{ bytes: transactionOf('a'), result: { txid: 'tx-a' } }], undefined)
    const second = createBench(
      engineOf(() => ({})),
      { store: first.store.crash() },
    )
    await second.host.start()
    expect([second.events, second.host.status().pendingRequests, second.store.keys('journal')]).toEqual([[], 0, []])
  })

  it('cancels what has not begun; answers keep the order of the questions', async () => {
    const { host, events, ledger } = createBench(
      doing((engineHost) => {
        engineHost.deliver('one', [request('a')])
        engineHost.deliver('two', [request('b')])
        engineHost.transferTo({ height: 9n, hash: Buffer.from('h'), members: [] })
        engineHost.deliver('three', [request('c')])
      }),
    )
    await host.start()
    await settle()
    expect(names(events)).toEqual([['delivered', 'one'], ['delivered', 'two', 'skipped'], ['transferred'], ['delivered', 'three']])
    expect(ledger.payloads()).toEqual([['a'], ['c']])
  })

  it('that ends elsewhere or fails is not reached', async () => {
    for (const transfer of [async () => ({ reached: true }) as const, () => Promise.reject(new Error('no peers'))]) {
      const { host, events } = createBench(
        doing((engineHost) => engineHost.transferTo({ height: 9n, hash: Buffer.from('h'), members: [] })),
        { transfer },
      )
      await host.start()
      await settle()
      expect(events).toMatchObject([{ type: 'transferred', result: { reached: false } }])
    }
  })
})

describe('an engine that asks the ledger without end', () => {
  const endless: Readonly<Record<string, (host: EngineHost) => Engine>> = {
    'for the head that is there': (host) => {
      const ask = (): void => host.transferTo({ height: host.head.height, hash: host.head.hash, members: [] })
      ask()
      return { onTransferred: ask }
    },
    'for the head, twice at a time: each replaces the other': (host) => {
      const ask = (): void => host.transferTo({ height: host.head.height, hash: host.head.hash, members: [] })
      ask()
      ask()
      return { onTransferred: ask }
    },
    'to execute nothing': (host) => {
      const ask = (): void => {
        host.execute('nothing', [])
        host.rollback()
      }
      ask()
      return { onExecuted: ask }
    },
  }
  it.each(Object.entries(endless))('%s, leaves its peer its turns of the event loop', async (_what, create) => {
    const { host, events, time } = createBench(engineOf(create))
    await host.start()
    await settle()
    const before = events.length
    expect(before).toBeGreaterThan(50)
    expect(before).toBeLessThan(200)
    await run(time, 1000)
    expect(events.length).toBeGreaterThan(before)
    expect(events.length).toBeLessThan(before + 100)
  })

  it('more than any needs, is halted', async () => {
    const { host } = createBench(
      doing((engineHost) => {
        for (let at = 0; at < 20_000; at++) engineHost.rollback()
      }),
    )
    await host.start()
    expect(host.status().halted).toMatch(/may have asked the ledger for 10000 things at a time; 'rollback' was one more/)
  })
})
