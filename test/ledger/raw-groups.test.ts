import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLedger, type RawBlock, type SyncableLedger } from '../../plugins/ledger/index.js'
import { FakeStore } from './fake-store.js'
import { fixedClock, text, transactionOf } from './kit.js'

async function receiver(store = new FakeStore()): Promise<{ ledger: SyncableLedger; store: FakeStore }> {
  return { store, ledger: await createLedger({ store, clock: fixedClock, settings: { numBuckets: 10 }, genesis: true }) }
}

/** Blocks of up to three transactions whose ids repeat, also from block to block. */
async function chainOf(txids: readonly (readonly number[])[]): Promise<readonly RawBlock[]> {
  const { ledger } = await receiver()
  for (const ids of txids) {
    const batch = ledger.openBatch()
    const executed = ids.map((id) => ({ bytes: transactionOf(`tx${id}`), result: { txid: `tx${id}` } }))
    await batch.commit(executed, text(`${ledger.height()}`))
  }
  return txids.map((_, index) => ({ number: BigInt(index + 1), bytes: ledger.blockBytes(BigInt(index + 1)) ?? expect.fail() }))
}

const chains = fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 })

test('blocks that are written in groups leave the rows that they leave one by one, in whatever order and groups', async () => {
  await fc.assert(
    fc.asyncProperty(chains, fc.infiniteStream(fc.nat()), async (txids, random) => {
      const next = () => random.next().value ?? 0
      const blocks = [...(await chainOf(txids))].map((block) => ({ block, at: next() })).sort((a, b) => a.at - b.at)
      const order = blocks.map(({ block }) => block)
      const [alone, grouped] = [await receiver(), await receiver()]
      const heard = { alone: [] as string[], grouped: [] as string[] }
      alone.ledger.onCommit(({ number, info }) => void heard.alone.push(`${number} ${info.height}`))
      grouped.ledger.onCommit(({ number, info }) => void heard.grouped.push(`${number} ${info.height}`))
      for (const block of order) await alone.ledger.putRawBlocks([block])
      for (let from = 0; from < order.length; ) {
        const to = from + 1 + (next() % 5)
        await grouped.ledger.putRawBlocks(order.slice(from, to))
        from = to
      }
      expect(grouped.store.rows).toEqual(alone.store.rows)
      expect(grouped.ledger.info()).toEqual(alone.ledger.info())
      expect(heard.grouped).toEqual(heard.alone)
      for (const id of txids.flat()) expect(grouped.ledger.locate(`tx${id}`)).toEqual(alone.ledger.locate(`tx${id}`))
    }),
    { numRuns: 40 },
  )
})

test('a group with something that is no block is not written at all', async () => {
  const blocks = await chainOf([[1], [2]])
  const { ledger, store } = await receiver()
  const before = store.commits
  await expect(ledger.putRawBlocks([...blocks, { number: 3n, bytes: Buffer.from('08', 'hex') }])).rejects.toThrow()
  await ledger.putRawBlocks([])
  expect([store.commits, ledger.height()]).toEqual([before, 1n])
})

test('a group whose write fails raises nothing, and the next one is written', async () => {
  const blocks = await chainOf([[1], [2], [3]])
  const { ledger, store } = await receiver()
  store.failAfter = 0
  await expect(ledger.putRawBlocks(blocks)).rejects.toThrow()
  expect(ledger.height()).toBe(1n)
  store.failAfter = Number.POSITIVE_INFINITY
  await ledger.putRawBlocks(blocks)
  expect(ledger.height()).toBe(4n)
  expect((await receiver(store)).ledger.height()).toBe(4n)
})
