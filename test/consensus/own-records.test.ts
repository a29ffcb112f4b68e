import { expect, test } from 'vitest'
import { requireOwnRecords } from '../../plugins/consensus/own-records.js'
import { MemoryStore } from './kit/memory-store.js'

const members = ['vp0', 'vp1', 'vp2', 'vp3'].map((id, index) => ({ index, id }))

test('a validator does not run on a copy of the disk of another, and does on its own', async () => {
  const store = new MemoryStore()
  await requireOwnRecords(store, members, 1)
  await requireOwnRecords(store, members, 1)
  await expect(requireOwnRecords(store, members, 3)).rejects.toMatchObject({
    code: 'ERR_CONSENSUS_OWNER',
    message: 'expected the data directory of vp3; found that of vp1, whose votes are in it',
    hint: expect.stringContaining('peer ledger export and import'),
  })
  await requireOwnRecords(store, members, 1)
})

test('one that was given another name goes on with its disk', async () => {
  const store = new MemoryStore()
  await requireOwnRecords(store, [{ index: 0, id: 'alone' }], 0)
  await requireOwnRecords(store, members, 2)
  await expect(requireOwnRecords(store, members, 0)).rejects.toMatchObject({ code: 'ERR_CONSENSUS_OWNER' })
})
