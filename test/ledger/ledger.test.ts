import { describe, expect, it } from 'vitest'
import { Block, Transaction, Transaction_Type, encode } from '../../proto/index.js'
import { type CommittedBlock, type SyncableLedger, StateDelta, createLedger, encodeDelta } from '../../plugins/ledger/index.js'
import { FakeStore } from './fake-store.js'
import { deployOf, collect, fixedClock, hex, newLedger, text, transactionOf } from './kit.js'

const SMALL = { numBuckets: 26, maxGroupingAtEachLevel: 3 }
const cc = text('mycc')

/** Commits one block of transactions that each put one key. */
async function commitPuts(ledger: SyncableLedger, puts: readonly (readonly [txid: string, key: string, value: string])[]): Promise<CommittedBlock> {
  const batch = ledger.openBatch()
  for (const [txid, key, value] of puts) {
    const state = batch.begin(txid)
    state.put(cc, text(key), text(value))
    state.finish(true)
  }
  return batch.commit(
    puts.map(([txid]) => ({ bytes: transactionOf(txid), result: { txid } })),
    undefined,
  )
}

const deltaOf = (entries: readonly (readonly [key: string, value: string | undefined])[]) => {
  const delta = new StateDelta()
  for (const [key, value] of entries) delta.set(cc, text(key), value === undefined ? undefined : text(value), undefined)
  return encodeDelta(delta)
}

describe('a transaction', () => {
  it('is refused an empty key and an absent value in the words of v0.6', async () => {
    const { ledger } = await newLedger(SMALL)
    const state = ledger.openBatch().begin('tx')
    const said = 'LedgerError - InvalidArgument: An empty string key or a nil value is not supported. Method invoked with key='
    expect(() => state.put(cc, text('k'), undefined)).toThrow(`${said}'k', value='[]byte(nil)'`)
    expect(() => state.put(cc, text(''), text('12'))).toThrow(`${said}'', value='[]byte{0x31, 0x32}'`)
    expect(() => state.put(cc, text(''), new Uint8Array(0))).toThrow(`${said}'', value='[]byte{}'`)
    expect(() => state.put(text('a\0b'), text('k'), text('v'))).toThrow(/must not contain a 00 byte/)
  })

  it('may read and delete the empty key', async () => {
    const { ledger } = await newLedger(SMALL)
    const state = ledger.openBatch().begin('tx')
    state.delete(cc, text(''))
    expect(state.get(cc, text(''))).toBeUndefined()
  })

  it('cannot be used after it has ended, nor can its scans', async () => {
    const { ledger } = await newLedger(SMALL)
    const batch = ledger.openBatch()
    const state = batch.begin('tx')
    state.put(cc, text('k'), text('v'))
    const scan = collect(state.range(cc, text(''), text('')))
    state.finish(true)
    expect(() => state.get(cc, text('k'))).toThrow(/has ended/)
    expect(() => state.finish(true)).toThrow(/has ended/)
    await expect(scan).rejects.toThrow(/has ended/)
  })

  it('is alone, named, and ended before the commit', async () => {
    const { ledger } = await newLedger(SMALL)
    const batch = ledger.openBatch()
    expect(() => batch.begin('')).toThrow(/found an empty one/)
    batch.begin('one')
    expect(() => batch.begin('two')).toThrow(/one has not been finished/)
    await expect(batch.commit([], undefined)).rejects.toThrow(/one has not been finished/)
    batch.rollback()
    expect(() => batch.begin('three')).toThrow(/committed or rolled back/)
  })

  it('remembers the value before the batch, not one in between', async () => {
    const { ledger } = await newLedger(SMALL)
    await commitPuts(ledger, [['t1', 'k', 'old']])
    await commitPuts(ledger, [
      ['t2', 'k', 'between'],
      ['t3', 'k', 'new'],
    ])
    const delta = new StateDelta()
    delta.set(cc, text('k'), text('new'), text('old'))
    expect(hex(ledger.stateDelta(2n))).toBe(hex(encodeDelta(delta)))
  })
})

describe('a batch', () => {
  it('is the only one', async () => {
    const { ledger } = await newLedger(SMALL)
    const batch = ledger.openBatch()
    expect(() => ledger.openBatch()).toThrow(/a batch is open/)
    await expect(ledger.applyStateDelta(deltaOf([]))).rejects.toThrow(/a batch is open/)
    batch.rollback()
    ledger.openBatch().rollback()
    expect(ledger.height()).toBe(1n)
  })

  it('takes further writes into the same atomic write', async () => {
    const { ledger, store } = await newLedger(SMALL)
    const before = store.commits
    const journal = store.namespace('journal')
    await ledger.openBatch().commit([], undefined, (also) => also.put(journal, text('k'), text('v')))
    expect(store.commits).toBe(before + 1)
    expect(hex(journal.get(text('k')))).toBe(hex(text('v')))
  })

  it('that cannot be written leaves the ledger as it was', async () => {
    const { ledger, store } = await newLedger(SMALL)
    await commitPuts(ledger, [['t1', 'k', 'v']])
    const info = ledger.info()
    const stateHash = hex(ledger.stateHash())
    store.failAfter = store.commits
    await expect(commitPuts(ledger, [['t2', 'k', 'w']])).rejects.toThrow(/disk is full/)
    expect(ledger.info()).toEqual(info)
    expect(hex(ledger.stateHash())).toBe(stateHash)
    expect(hex(ledger.committed.get(cc, text('k')))).toBe(hex(text('v')))
  })

  it('tells the listeners in order once it is durable, and survives one that throws', async () => {
    const store = new FakeStore()
    const thrown: unknown[] = []
    const ledger = await createLedger({ store, clock: fixedClock, settings: SMALL, genesis: true, onListenerError: (error) => thrown.push(error) })
    const seen: string[] = []
    ledger.onCommit(({ number }) => {
      seen.push(`first ${number} of height ${ledger.height()}`)
      throw new Error('listener')
    })
    const unsubscribe = ledger.onCommit(({ executed }) => seen.push(`second ${executed.map(({ result: { txid, error } }) => `${txid} ${error}`).join()}`))
    const batch = ledger.openBatch()
    batch.begin('t1').finish(false)
    await batch.commit([{ bytes: transactionOf('t1'), result: { txid: 't1', error: 'why' } }], undefined)
    unsubscribe()
    await ledger.openBatch().commit([], undefined)
    expect(seen).toEqual(['first 1 of height 2', 'second t1 why', 'first 2 of height 3'])
    expect(thrown).toHaveLength(2)
  })
})

describe('reading', () => {
  it('answers in the words of v0.6 where there is nothing', async () => {
    const { ledger } = await newLedger(SMALL)
    expect(() => ledger.blockBytes(1n)).toThrow('LedgerError - OutOfBounds: ledger: out of bounds')
    expect(() => ledger.stateDelta(1n)).toThrow('LedgerError - OutOfBounds: ledger: out of bounds')
    expect(() => ledger.blockByHash(text('x'))).toThrow(/^LedgerError - ErrorTypeBlockNotFound: /)
    expect(ledger.locate('nobody')).toBeUndefined()
    expect(ledger.transactionBytes('nobody')).toBeUndefined()
    await expect(ledger.verifyChain(1n, 0n)).rejects.toThrow('OutOfBounds')
    await expect(ledger.verifyChain(0n, 1n)).rejects.toThrow('OutOfBounds')
  })

  it('finds the latest transaction of an id that repeats', async () => {
    const { ledger } = await newLedger(SMALL)
    await commitPuts(ledger, [
      ['same', 'a', '1'],
      ['same', 'b', '2'],
    ])
    expect(ledger.locate('same')).toEqual({ block: 1n, index: 1 })
    await commitPuts(ledger, [
      ['other', 'a', '1'],
      ['same', 'b', '2'],
    ])
    expect(ledger.locate('same')).toEqual({ block: 2n, index: 1 })
    expect(hex(ledger.transactionBytes('same'))).toBe(hex(transactionOf('same')))
    expect((await ledger.verify()).faults).toEqual([])
  })

  it('finds the deploy of a chaincode whatever later transactions have its name as their id, in own and in received blocks, after a restart', async () => {
    const { ledger, store } = await newLedger(SMALL)
    const commit = async (txid: string, bytes: Uint8Array, error?: string) => {
      await ledger.openBatch().commit([{ bytes, result: { txid, ...(error === undefined ? {} : { error }) } }], undefined)
    }
    await commit('mycc', deployOf('mycc'))
    await commit('mycc', transactionOf('mycc'))
    await commit('late', deployOf('late'), 'failed')
    expect(hex(ledger.transactionBytes('mycc'))).toBe(hex(transactionOf('mycc')))
    expect(hex(ledger.deployBytes('mycc'))).toBe(hex(deployOf('mycc')))
    expect(ledger.deployBytes('late')).toBeUndefined()
    expect((await ledger.verify()).faults).toEqual([])

    const { ledger: restarted } = await newLedger(SMALL, store)
    expect(hex(restarted.deployBytes('mycc'))).toBe(hex(deployOf('mycc')))

    const { ledger: receiver } = await newLedger(SMALL)
    for (let number = 1n; number < ledger.height(); number += 1n) await receiver.putRawBlocks([{ number, bytes: ledger.blockBytes(number) ?? expect.fail() }])
    expect(hex(receiver.deployBytes('mycc'))).toBe(hex(deployOf('mycc')))
  })

  it('reports a deploy that is not in the index of deploys', async () => {
    const { ledger, store } = await newLedger(SMALL)
    await ledger.openBatch().commit([{ bytes: deployOf('mycc'), result: { txid: 'mycc' } }], undefined)
    const batch = store.batch()
    batch.delete(store.namespace('deploys'), text('mycc'))
    await store.commit(batch)
    expect((await ledger.verify()).faults).toEqual([{ where: 'block 1', what: 'the deploy of mycc is not in the index of deploys' }])
  })

  it('of a view shows one moment', async () => {
    const { ledger } = await newLedger(SMALL)
    await commitPuts(ledger, [['t1', 'k', 'v']])
    const view = ledger.view()
    await commitPuts(ledger, [
      ['t2', 'k', 'w'],
      ['t3', 'l', 'x'],
    ])
    expect(hex(view.get(cc, text('k')))).toBe(hex(text('v')))
    expect(await collect(view.range(cc, text(''), text('')))).toHaveLength(1)
    await view.release()
    expect(await collect(ledger.committed.range(cc, text(''), text('')))).toHaveLength(2)
  })

  it('releases the snapshot of a scan that is left early', async () => {
    const { ledger, store } = await newLedger(SMALL)
    await commitPuts(ledger, [
      ['t1', 'k', 'v'],
      ['t2', 'l', 'v'],
    ])
    for await (const _ of ledger.committed.range(cc, text(''), text(''))) break
    expect(store.snapshots.map(({ isReleased }) => isReleased)).toEqual([true])
  })
})

describe('an opened store', () => {
  it('keeps its structure: other settings are refused with both named', async () => {
    const { store } = await newLedger(SMALL)
    await expect(createLedger({ store: store.copy(), clock: fixedClock, settings: { ...SMALL, numBuckets: 27 } })).rejects.toThrow(
      /"numBuckets":26.*"numBuckets":27/,
    )
    await expect(
      createLedger({ store: store.copy(), clock: fixedClock, settings: { ...SMALL, bucketCacheSizeMiB: 1, deltaHistorySize: 9 } }),
    ).resolves.toBeDefined()
    await expect(createLedger({ store: new FakeStore(), clock: fixedClock, settings: { numBuckets: 1 } })).rejects.toThrow(/from 2 to/)
  })

  it('is refused if height, head and state contradict each other', async () => {
    const broken = async (namespace: string, change: (rows: Map<string, Uint8Array>) => void) => {
      const { ledger, store } = await newLedger(SMALL)
      await commitPuts(ledger, [['t1', 'k', 'v']])
      change(store.rows.get(namespace) ?? new Map())
      return createLedger({ store, clock: fixedClock, settings: SMALL })
    }
    await expect(broken('blocks', (rows) => rows.delete('\0\0\0\0\0\0\0\x01'))).rejects.toThrow(/height is 2, but block 1 is missing/)
    await expect(broken('state-0', (rows) => rows.delete('\0\0\x01'))).rejects.toThrow(/block 1 has the state hash .*, the stored world state has none/)
    await expect(broken('ledger-meta', (rows) => rows.set('state-block', Buffer.alloc(8, 9)))).rejects.toThrow(/world state is that of block/)
  })

  it('drops the deltas that a shorter history no longer keeps', async () => {
    const { ledger, store } = await newLedger(SMALL)
    for (let i = 0; i < 6; i += 1) await commitPuts(ledger, [[`t${i}`, 'k', `${i}`]])
    const again = await createLedger({ store, clock: fixedClock, settings: { ...SMALL, deltaHistorySize: 2 } })
    expect([0n, 4n, 5n, 6n].map((block) => again.stateDelta(block) !== undefined)).toEqual([false, false, true, true])
  })
})

describe('a crash between any two writes', () => {
  it('leaves a block boundary', async () => {
    const work = async (ledger: SyncableLedger) => {
      for (let i = 0; i < 4; i += 1)
        await commitPuts(ledger, [
          [`t${i}`, `k${i % 3}`, `${i}`],
          [`u${i}`, 'hot', `${i}`],
        ])
    }
    const whole = await newLedger(SMALL)
    await work(whole.ledger)
    for (let survived = 0; survived <= whole.store.commits; survived += 1) {
      const store = new FakeStore()
      store.failAfter = survived
      const crash = async () => work((await newLedger(SMALL, store)).ledger)
      await crash().catch((thrown: unknown) => expect(thrown).toMatchObject({ code: 'ERR_STORE_WRITE' }))
      const again = await createLedger({ store: store.copy(), clock: fixedClock, settings: SMALL, genesis: true })
      expect((await again.verify()).faults).toEqual([])
      const head = again.height() - 1n
      expect(again.blockBytes(head)).toEqual(whole.ledger.blockBytes(head))
    }
  })
})

describe('state transfer', () => {
  it('cannot go on executing while the state is behind the chain', async () => {
    const source = await newLedger(SMALL)
    await commitPuts(source.ledger, [['t1', 'k', 'v']])
    const { ledger } = await newLedger(SMALL)
    await ledger.putRawBlocks([{ number: 1n, bytes: source.ledger.blockBytes(1n) ?? expect.fail() }])
    expect(ledger.stateBlock()).toBe(0n)
    expect(() => ledger.openBatch()).toThrow(/the height is 2, but the world state is that of block 0/)
    await (await ledger.applyStateDelta(source.ledger.stateDelta(1n) ?? expect.fail())).commit(1n)
    ledger.openBatch().rollback()
    expect(hex(ledger.stateHash())).toBe(hex(source.ledger.stateHash()))
    expect(ledger.locate('t1')).toEqual({ block: 1n, index: 0 })
  })

  it('may raise the height while a state is being filled, but not under an open batch', async () => {
    const { ledger } = await newLedger(SMALL)
    const batch = ledger.openBatch()
    await expect(ledger.putRawBlocks([{ number: 1n, bytes: text('') }])).rejects.toThrow(/a batch is open: block 1 cannot raise the height/)
    batch.rollback()
    const replacement = await ledger.replaceState()
    await ledger.putRawBlocks([{ number: 1n, bytes: text('') }])
    await replacement.discard()
    expect(ledger.height()).toBe(2n)
  })

  it('rolls an applied delta back', async () => {
    const { ledger } = await newLedger(SMALL)
    const change = await ledger.applyStateDelta(deltaOf([['k', 'v']]))
    expect(change.stateHash).toBeDefined()
    change.rollback()
    expect(ledger.stateHash()).toBeUndefined()
    await expect(ledger.applyStateDelta(text(''))).rejects.toThrow(/expected a state delta/)
    ledger.openBatch().rollback()
  })

  it('replaces the state in one write, also over a state that was not empty', async () => {
    const { ledger, store } = await newLedger(SMALL)
    await commitPuts(ledger, [
      ['t1', 'old', '1'],
      ['t2', 'k', 'old'],
    ])
    const replacement = await ledger.replaceState()
    await replacement.add(deltaOf([['k', 'new']]))
    await replacement.add(deltaOf([['l', 'new']]))
    const hash = hex(await replacement.stateHash())
    expect(hex(ledger.committed.get(cc, text('old')))).toBe(hex(text('1')))
    await ledger.putRawBlocks([{ number: 0n, bytes: ledger.blockBytes(0n) ?? expect.fail() }])
    await replacement.activate(1n)
    expect(hex(ledger.stateHash())).toBe(hash)
    expect(ledger.committed.get(cc, text('old'))).toBeUndefined()
    expect(await collect(ledger.committed.range(cc, text(''), text('')))).toHaveLength(2)
    expect(store.hexRows('state-0')).toEqual([])
    expect(ledger.stateDelta(1n)).toBeUndefined()
    ledger.openBatch().rollback()
  })

  it('that dies while filling a state starts again with the one it had', async () => {
    const { ledger, store } = await newLedger(SMALL)
    await commitPuts(ledger, [['t1', 'k', 'v']])
    const replacement = await ledger.replaceState()
    await replacement.add(deltaOf([['l', 'new']]))
    await replacement.stateHash()
    const again = await createLedger({ store: store.copy(), clock: fixedClock, settings: SMALL })
    expect(hex(again.stateHash())).toBe(hex(ledger.stateHash()))
    const next = await again.replaceState()
    expect(await next.stateHash()).toBeUndefined()
    await next.discard()
    again.openBatch().rollback()
  })

  it('empties the state and keeps the chain', async () => {
    const { ledger, store } = await newLedger(SMALL)
    await commitPuts(ledger, [['t1', 'k', 'v']])
    await ledger.deleteAllState()
    expect(ledger.stateHash()).toBeUndefined()
    expect(ledger.stateBlock()).toBeUndefined()
    expect(ledger.height()).toBe(2n)
    expect(store.hexRows('deltas')).toEqual([])
    expect(() => ledger.openBatch()).toThrow(/that of no block/)
    expect(() => ledger.stateSnapshot()).toThrow(/that of no block/)
  })

  it('that brings old blocks last leaves the index with the latest deploy of a name, and verify content', async () => {
    const source = await newLedger(SMALL)
    const commit = (bytes: Uint8Array, txid: string) => source.ledger.openBatch().commit([{ bytes, result: { txid } }], undefined)
    const latest = encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid: 'twice', payload: text('latest') }))
    await commit(transactionOf('twice'), 'twice')
    await commit(deployOf('mycc', 'first deploy'), 'first deploy')
    await commit(latest, 'twice')
    await commit(deployOf('mycc', 'second deploy'), 'second deploy')
    const { ledger } = await newLedger(SMALL)
    for (const number of [4n, 3n, 2n, 1n]) await ledger.putRawBlocks([{ number, bytes: source.ledger.blockBytes(number) ?? expect.fail() }])
    expect(ledger.transactionBytes('twice')).toBeDefined()
    expect(hex(ledger.deployBytes('mycc'))).toBe(hex(deployOf('mycc', 'second deploy')))
    expect((await ledger.verify()).faults.filter(({ where }) => where.startsWith('block'))).toEqual([])
  })

  it('cannot say that the state is that of a block above the chain, with which the store could not be opened again', async () => {
    const { ledger } = await newLedger(SMALL)
    const change = await ledger.applyStateDelta(deltaOf([['k', 'v']]))
    await expect(change.commit(1n)).rejects.toThrow('OutOfBounds')
    const replacement = await ledger.replaceState()
    await expect(replacement.activate(1n)).rejects.toThrow('OutOfBounds')
    await expect(ledger.openBatch().commit([], undefined)).resolves.toMatchObject({ number: 1n })
  })

  it('stores raw blocks as v0.6 does: decoded and encoded again', async () => {
    const { ledger } = await newLedger(SMALL)
    const canonical = encode(Block, Block.fromPartial({ stateHash: text('s'), previousBlockHash: text('p') }))
    await ledger.putRawBlocks([{ number: 3n, bytes: Buffer.concat([canonical, Buffer.from('7801', 'hex')]) }])
    expect(ledger.height()).toBe(4n)
    expect(hex(ledger.blockBytes(3n))).toBe(hex(canonical))
    expect(ledger.blockBytes(2n)).toBeUndefined()
    await expect(ledger.putRawBlocks([{ number: 4n, bytes: Buffer.from('08', 'hex') }])).rejects.toThrow()
    expect(ledger.height()).toBe(4n)
  })
})

describe('verify', () => {
  const sound = async () => {
    const made = await newLedger(SMALL)
    for (let i = 0; i < 3; i += 1) await commitPuts(made.ledger, [[`t${i}`, `k${i}`, `${i}`]])
    return made
  }

  it('names a changed block, value, node and index row', async () => {
    const faultsAfter = async (namespace: string, change: (rows: Map<string, Uint8Array>) => void) => {
      const { ledger, store } = await sound()
      change(store.rows.get(namespace) ?? new Map())
      return (await ledger.verify()).faults.map(({ where, what }) => `${where}: ${what}`).join('\n')
    }
    const first = (rows: Map<string, Uint8Array>, start: string) => [...rows.keys()].find((key) => key.startsWith(start)) ?? expect.fail()
    expect(await faultsAfter('blocks', (rows) => rows.set('\0\0\0\0\0\0\0\x01', encode(Block, Block.fromPartial({ version: 7 }))))).toMatch(
      /block 1: its hash .* is indexed as no block/,
    )
    expect(await faultsAfter('blocks', (rows) => rows.delete('\0\0\0\0\0\0\0\x01'))).toMatch(/block 1: missing/)
    expect(await faultsAfter('blocks', (rows) => rows.set('\0\0\0\0\0\0\0\x01', text('x')))).toMatch(/block 1: cannot be read/)
    expect(await faultsAfter('state-0', (rows) => rows.set(first(rows, '\x01'), text('x')))).toMatch(/world state: block 3 has the state hash/)
    expect(await faultsAfter('state-0', (rows) => rows.delete('\0\x01\x01'))).toMatch(/level 1|inner nodes/)
    expect(await faultsAfter('indexes', (rows) => rows.delete('\x02t1'))).toMatch(/block 2: transaction t1 is not in the index/)
    expect(await faultsAfter('indexes', (rows) => rows.set('\x02t1', Buffer.from([3, 0])))).toMatch(/indexed at block 3, element 0, where it is not/)
    expect(await faultsAfter('state-keys-0', (rows) => rows.delete(first(rows, 'mycc')))).toMatch(/missing there/)
  })

  it('reports how far it is', async () => {
    const { ledger } = await sound()
    const seen: bigint[] = []
    const report = await ledger.verify((done) => seen.push(done))
    expect(seen.at(-1)).toBe(4n)
    expect(report).toEqual({ height: 4n, blocksChecked: 4n, keysChecked: 3n, faults: [] })
  })
})
