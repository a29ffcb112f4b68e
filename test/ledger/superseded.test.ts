import { EventEmitter, once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createLedger, type OpenLedger, type RawBlock } from '../../plugins/ledger/index.js'
import { encode, Transaction, Transaction_Type } from '../../proto/index.js'
import { SHIPPED_SETTINGS } from '../../plugins/ledger/settings.js'
import { archiveOf, imported } from './archive-kit.js'
import { FakeStore } from './fake-store.js'
import { fixedClock, text } from './kit.js'

const SETTINGS = { numBuckets: 10 }
const ROWS = 'superseded-transactions'

/** One of several transactions that have the same id. */
interface Sent {
  readonly id: number
  readonly variant: number
}

const txidOf = ({ id }: Sent): string => `tx${id}`
const bytesOf = (sent: Sent): Uint8Array =>
  encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid: txidOf(sent), payload: text(`${sent.variant}`) }))

const open = (store = new FakeStore()): Promise<OpenLedger> => createLedger({ store, clock: fixedClock, settings: SETTINGS, genesis: true })

async function commit(ledger: OpenLedger, block: readonly Sent[]): Promise<void> {
  await ledger.openBatch().commit(
    block.map((sent) => ({ bytes: bytesOf(sent), result: { txid: txidOf(sent) } })),
    text(`${ledger.height()}`),
  )
}

/** Every transaction of the blocks is found where its bytes are, and no other. */
function expectAllFound(ledger: OpenLedger, blocks: readonly (readonly Sent[])[]): void {
  for (const sent of blocks.flat()) {
    const { block, index } = ledger.locateBytes(txidOf(sent), bytesOf(sent)) ?? expect.fail(`${JSON.stringify(sent)} is not found`)
    expect(blocks[Number(block) - 1]?.[index]).toEqual(sent)
  }
  for (const id of [0, 1, 2, 3, 4]) expect(ledger.locateBytes(`tx${id}`, bytesOf({ id, variant: 99 }))).toBeUndefined()
}

const chains = fc.array(fc.array(fc.record({ id: fc.nat({ max: 3 }), variant: fc.nat({ max: 3 }) }), { maxLength: 4 }), { minLength: 1, maxLength: 10 })

test('each transaction of the chain is found by its bytes, whatever later ones have its id: in own blocks, after a restart, a transfer in any order, and an import', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.infiniteStream(fc.nat()), async (blocks, random) => {
      const next = () => random.next().value ?? 0
      const store = new FakeStore()
      const own = await open(store)
      for (const block of blocks) {
        // As the host does, which asks before it executes.
        for (const sent of block) own.locateBytes(txidOf(sent), bytesOf(sent))
        await commit(own, block)
      }
      expectAllFound(own, blocks)
      expectAllFound(await open(store), blocks)

      const raw = blocks.map((_, index): RawBlock => ({ number: BigInt(index + 1), bytes: own.blockBytes(BigInt(index + 1)) ?? expect.fail() }))
      const order = raw.map((block) => ({ block, at: next() })).sort((a, b) => a.at - b.at)
      const receiver = await open()
      for (let from = 0; from < order.length; ) {
        const to = from + 1 + (next() % 3)
        await receiver.putRawBlocks(order.slice(from, to).map(({ block }) => block))
        from = to
      }
      expectAllFound(receiver, blocks)
      expect((await receiver.verify()).faults.filter(({ where }) => where.startsWith('block'))).toEqual([])

      const { ledger } = await imported(await archiveOf(own), { settings: { ...SHIPPED_SETTINGS, ...SETTINGS } })
      expectAllFound(ledger, blocks)
    }),
    { numRuns: 60 },
  )
})

describe('the index of superseded transactions', () => {
  it('has no rows where no id repeats, one for each repetition, and leaves the index of ids as it is in v0.6', async () => {
    const store = new FakeStore()
    const ledger = await open(store)
    await commit(ledger, [
      { id: 1, variant: 1 },
      { id: 2, variant: 1 },
    ])
    expect(store.hexRows(ROWS)).toEqual([])
    await commit(ledger, [{ id: 1, variant: 2 }])
    expect(store.hexRows(ROWS)).toHaveLength(1)
    expect(ledger.locate('tx1')).toEqual({ block: 2n, index: 0 })
    expect(Buffer.from(ledger.transactionBytes('tx1') ?? [])).toEqual(Buffer.from(bytesOf({ id: 1, variant: 2 })))
  })

  it('is completed once, from the chain, in a store that is older than it', async () => {
    const store = new FakeStore()
    const blocks = [[{ id: 1, variant: 1 }], [{ id: 1, variant: 2 }], [{ id: 1, variant: 3 }]]
    const ledger = await open(store)
    for (const block of blocks) await commit(ledger, block)
    const mark = Buffer.from('superseded-complete', 'latin1').toString('latin1')
    store.rows.delete(ROWS)
    store.rows.get('ledger-meta')?.delete(mark)
    expectAllFound(await open(store), blocks)
    const { commits } = store
    await open(store)
    expect(store.commits).toBe(commits)
  })

  it('is in the write of the block: without that neither is there', async () => {
    const store = new FakeStore()
    const ledger = await open(store)
    await commit(ledger, [{ id: 1, variant: 1 }])
    store.failAfter = 0
    await expect(commit(ledger, [{ id: 1, variant: 2 }])).rejects.toThrow()
    store.failAfter = Number.POSITIVE_INFINITY
    expect(store.hexRows(ROWS)).toEqual([])
    expect((await open(store)).height()).toBe(2n)
  })

  it('is checked by verify', async () => {
    const store = new FakeStore()
    const ledger = await open(store)
    await commit(ledger, [{ id: 1, variant: 1 }])
    await commit(ledger, [{ id: 1, variant: 2 }])
    store.rows.delete(ROWS)
    expect((await ledger.verify()).faults).toEqual([
      { where: 'block 1', what: 'transaction tx1, element 0, is not in the index of those that a later one supersedes' },
    ])
  })

  it.each(['committed meanwhile', 'committed afterwards'])('knows an old block that is stored slowly, when a block with the same id is %s', async (when) => {
    const source = await open()
    const blocks = [[{ id: 1, variant: 1 }], [{ id: 2, variant: 1 }], [{ id: 1, variant: 2 }]]
    for (const block of blocks.slice(0, 2)) await commit(source, block)
    const raw = (number: bigint): RawBlock => ({ number, bytes: source.blockBytes(number) ?? expect.fail() })
    const store = new FakeStore()
    const ledger = await open(store)
    await ledger.putRawBlocks([raw(2n)])
    const change = await ledger.applyStateDelta(source.stateDelta(2n) ?? expect.fail())
    await change.commit(2n)
    const write = store.commit.bind(store)
    const disk = new EventEmitter()
    const isReady = once(disk, 'ready')
    store.commit = async (batch) => {
      await isReady
      return write(batch)
    }
    const storing = ledger.putRawBlocks([raw(1n)])
    await setImmediate()
    expect(ledger.locateBytes('tx1', bytesOf({ id: 1, variant: 2 }))).toBeUndefined()
    const meanwhile = when === 'committed meanwhile' ? commit(ledger, blocks[2] ?? []) : undefined
    await setImmediate()
    disk.emit('ready')
    await storing
    await (meanwhile ?? commit(ledger, blocks[2] ?? []))
    expectAllFound(ledger, blocks)
  })
})
