import { describe, expect, it } from 'vitest'
import { createStore } from '../../plugins/level/index.js'
import { createRandom } from '../kit/random.js'
import { SimDisk } from '../kit/sim-disk.js'
import { get, put, rows } from './backends.js'

describe('a store whose disk fails', () => {
  it.each(['ENOSPC', 'EIO'] as const)('rejects the batch and every later one with the first cause (%s)', async (fault) => {
    const disk = new SimDisk()
    const told: Error[] = []
    const store = await createStore(disk.open(), { onFailed: (reason) => told.push(reason) })
    await put(store, 'a', { before: '1' })
    disk.failNextWrite(fault)
    const failing = put(store, 'a', { lost: '1' })
    await Promise.resolve()
    await Promise.resolve()
    const queued = put(store, 'a', { queued: '1' })
    await expect(failing).rejects.toMatchObject({
      code: 'ERR_STORE_WRITE',
      message: expect.stringContaining(fault === 'EIO' ? 'Input/output error' : 'No space left'),
    })
    const first: unknown = await failing.catch((reason: unknown) => reason)
    await expect(queued).rejects.toBe(first)
    await expect(put(store, 'a', { later: '1' })).rejects.toBe(first)
    await expect(put(store, 'a', { even: 'later' }, 'record')).rejects.toBe(first)
    expect(told).toEqual([first])
    expect(await rows(store.namespace('a').entries())).toEqual(['before=1'])
    await store.close()
  })

  it('rejects all members of the failed group', async () => {
    const disk = new SimDisk()
    const store = await createStore(disk.open())
    disk.failNextWrite('ENOSPC')
    const results = await Promise.allSettled([put(store, 'a', { x: '1' }), put(store, 'a', { y: '1' })])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('goes on reading', async () => {
    const disk = new SimDisk()
    const store = await createStore(disk.open())
    await put(store, 'a', { k: 'v' })
    disk.failNextWrite('ENOSPC')
    await expect(put(store, 'a', { k: 'w' })).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    expect(get(store, 'a', 'k')).toBe('v')
    const snapshot = store.snapshot()
    expect(await rows(store.namespace('a').entries({}, snapshot))).toEqual(['k=v'])
    await snapshot.release()
  })

  it('takes writes again after a restart, without the batches that it refused', async () => {
    const disk = new SimDisk()
    const store = await createStore(disk.open())
    await put(store, 'a', { k: '1' })
    disk.failNextWrite('ENOSPC')
    await expect(put(store, 'new', { k: '2' })).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
    await store.close()
    const again = await createStore(disk.open())
    await put(again, 'other', { k: '3' })
    expect([get(again, 'a', 'k'), get(again, 'new', 'k'), get(again, 'other', 'k')]).toEqual(['1', undefined, '3'])
  })

  it('may or may not have a batch whose sync failed after a power cut, but never half of it', async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 20; seed += 1) {
      const disk = new SimDisk()
      const store = await createStore(disk.open())
      disk.failNextWrite('EIO')
      await expect(put(store, 'a', { x: '1', y: '1' })).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
      disk.powerCut(createRandom(seed).next)
      const again = await createStore(disk.open())
      seen.add((await rows(again.namespace('a').entries())).join())
    }
    expect([...seen].sort()).toEqual(['', 'x=1,y=1'])
  })

  it('says at the start that it cannot write', async () => {
    const disk = new SimDisk()
    disk.failNextWrite('ENOSPC')
    await expect(createStore(disk.open())).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' })
  })
})
