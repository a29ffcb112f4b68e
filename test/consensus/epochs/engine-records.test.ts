import { describe, expect, it } from 'vitest'
import { createEngineRecords, epochsWithRecords } from '../../../plugins/consensus/engine/records.js'
import { MemoryStore } from '../kit/memory-store.js'

const MANY = 2500

async function storeWithRecords(): Promise<MemoryStore> {
  let writes = 0
  // The write that fills it, and the first of those that clear it; then the power goes.
  const store = new MemoryStore((_write, done) => void (++writes > 2 || queueMicrotask(done)))
  const records = createEngineRecords(store, 3n)
  const batch = store.batch()
  for (let number = 0; number < MANY; number++) records.write(batch, [`vote ${number}`, Buffer.of(1)])
  await store.commit(batch, 'record')
  return store
}

describe("the records of an epoch's engine", () => {
  it('are all there or none, also if the power goes while they are being forgotten', async () => {
    const store = await storeWithRecords()
    void createEngineRecords(store, 3n).clear()
    await new Promise((resolve) => setImmediate(resolve))
    const found = store.crash()
    expect(found.keys('consensus').length).toBeLessThan(MANY)
    expect(await epochsWithRecords(found)).toEqual([3n])
    expect((await createEngineRecords(found, 3n).load()).size).toBe(0)
    expect(found.keys('consensus')).toEqual([])
  })

  it('that are written after that stay', async () => {
    const store = await storeWithRecords()
    void createEngineRecords(store, 3n).clear()
    await new Promise((resolve) => setImmediate(resolve))
    const found = store.crash()
    const records = createEngineRecords(found, 3n)
    await records.load()
    const batch = found.batch()
    records.write(batch, ['vote', Buffer.of(2)])
    await found.commit(batch, 'record')
    expect([...(await createEngineRecords(found, 3n).load()).keys()]).toEqual(['vote'])
  })
})
