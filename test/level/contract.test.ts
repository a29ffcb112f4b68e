import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../plugins/level/index.js'
import { BACKENDS, type Place, bytes, get, put, rows } from './backends.js'

describe.each(BACKENDS)('a store on $name', ({ place: makePlace }) => {
  let place: Place
  let store: Store
  beforeEach(async () => {
    place = makePlace()
    store = await place.open()
  })
  afterEach(async () => {
    await store.close()
    place.remove()
  })

  it('reads what was committed, and nothing before the commit', async () => {
    const batch = store.batch()
    batch.put(store.namespace('a'), bytes('k'), bytes('v'))
    expect(get(store, 'a', 'k')).toBeUndefined()
    await store.commit(batch, 'block')
    expect(get(store, 'a', 'k')).toBe('v')
  })

  it('keeps empty keys and empty values', async () => {
    await put(store, 'a', { '': '', k: '' })
    expect(get(store, 'a', '')).toBe('')
    expect(await rows(store.namespace('a').entries())).toEqual(['=', 'k='])
  })

  it('lets the last operation on a key win', async () => {
    const a = store.namespace('a')
    const batch = store.batch()
    batch.put(a, bytes('x'), bytes('1'))
    batch.delete(a, bytes('x'))
    batch.delete(a, bytes('y'))
    batch.put(a, bytes('y'), bytes('2'))
    expect(batch.size).toBe(4)
    expect(batch.byteLength).toBeGreaterThanOrEqual(6)
    await store.commit(batch, 'block')
    expect(await rows(a.entries())).toEqual(['y=2'])
  })

  it('applies batches in the order of the calls, also when nobody waits in between', async () => {
    const commits = Array.from({ length: 50 }, (_, n) => put(store, 'a', { k: String(n), [`only-${n}`]: '' }, n % 2 === 0 ? 'block' : 'record'))
    await Promise.all(commits)
    expect(get(store, 'a', 'k')).toBe('49')
    expect(await rows(store.namespace('a').entries())).toHaveLength(51)
  })

  it('commits an empty batch', async () => {
    await expect(store.commit(store.batch(), 'block')).resolves.toBeUndefined()
  })

  it('shows a snapshot as the store was', async () => {
    const a = store.namespace('a')
    await put(store, 'a', { k: 'old', gone: 'x' })
    const snapshot = store.snapshot()
    const change = store.batch()
    change.put(a, bytes('k'), bytes('new'))
    change.delete(a, bytes('gone'))
    await store.commit(change, 'block')
    await put(store, 'b', { k: 'of another namespace' })
    expect(Buffer.from(a.get(bytes('k'), snapshot) ?? []).toString()).toBe('old')
    expect(await rows(a.entries({}, snapshot))).toEqual(['gone=x', 'k=old'])
    expect(await rows(store.namespace('b').entries({}, snapshot))).toEqual([])
    await snapshot.release()
    expect(await rows(a.entries())).toEqual(['k=new'])
  })

  it('refuses a released snapshot', async () => {
    const snapshot = store.snapshot()
    await snapshot.release()
    expect(() => store.namespace('a').get(bytes('k'), snapshot)).toThrow(expect.objectContaining({ code: 'ERR_STORE_SNAPSHOT' }))
    await expect(rows(store.namespace('a').entries({}, snapshot))).rejects.toMatchObject({ code: 'ERR_STORE_SNAPSHOT' })
  })

  it('goes on with a loop as of its beginning while others write', async () => {
    await put(store, 'a', { a: '1', c: '3' })
    const seen: string[] = []
    for await (const [key] of store.namespace('a').entries()) {
      seen.push(Buffer.from(key).toString())
      await put(store, 'a', { b: '2', d: '4' })
    }
    expect(seen).toEqual(['a', 'c'])
  })

  it('reads afresh in every loop over the same entries', async () => {
    const entries = store.namespace('a').entries()
    expect(await rows(entries)).toEqual([])
    await put(store, 'a', { k: 'v' })
    expect(await rows(entries)).toEqual(['k=v'])
  })

  it('closes the iterator of a loop that ends early, so that the store can close', async () => {
    await put(store, 'a', Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [String(n).padStart(4, '0'), 'v'])))
    const snapshot = store.snapshot()
    for await (const _ of store.namespace('a').entries({}, snapshot)) break
    await expect(
      (async () => {
        for await (const _ of store.namespace('a').entries()) throw new Error('of the reader')
      })(),
    ).rejects.toThrow('of the reader')
    await snapshot.release() // would wait for an iterator in use
    await expect(store.close()).resolves.toBeUndefined()
  })

  it('walks ranges in both directions', async () => {
    await put(store, 'a', { a: '1', b: '2', c: '3', d: '4' })
    const a = store.namespace('a')
    expect(await rows(a.entries({ gt: bytes('a'), lte: bytes('c') }))).toEqual(['b=2', 'c=3'])
    expect(await rows(a.entries({ gte: bytes('b'), lt: bytes('d'), reverse: true }))).toEqual(['c=3', 'b=2'])
    expect(await rows(a.entries({ reverse: true, limit: 1 }))).toEqual(['d=4'])
    expect(await rows(a.entries({ gte: bytes('a'), gt: bytes('b'), lte: bytes('d'), lt: bytes('d') }))).toEqual(['c=3'])
    expect(await rows(a.entries({ gt: bytes('c'), lt: bytes('b') }))).toEqual([])
    expect(await rows(a.entries({ limit: 0 }))).toEqual([])
    expect(() => a.entries({ limit: -1 })).toThrow(expect.objectContaining({ code: 'ERR_STORE_RANGE' }))
  })

  it('finds everything again after closing and opening', async () => {
    await put(store, 'a', { k: 'v' })
    await put(store, 'b', { k: 'w' }, 'record')
    await store.close()
    store = await place.open()
    expect(get(store, 'b', 'k')).toBe('w') // asked for in another order than before
    expect(get(store, 'a', 'k')).toBe('v')
  })

  it('writes what waits before it closes, and takes nothing afterwards', async () => {
    const waiting = put(store, 'a', { k: 'v' })
    const closing = store.close()
    await expect(put(store, 'a', { late: 'x' })).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
    await closing
    await waiting
    expect(() => get(store, 'a', 'k')).toThrow(expect.objectContaining({ code: 'ERR_STORE_CLOSED' }))
    await store.close()
    store = await place.open()
    expect(await rows(store.namespace('a').entries())).toEqual(['k=v'])
  })

  it('refuses a batch that was committed, and what belongs to another store', async () => {
    const batch = store.batch()
    await store.commit(batch, 'block')
    await expect(store.commit(batch, 'block')).rejects.toMatchObject({ code: 'ERR_STORE_BATCH' })
    expect(() => batch.put(store.namespace('a'), bytes('k'), bytes('v'))).toThrow(expect.objectContaining({ code: 'ERR_STORE_BATCH' }))

    const elsewhere = makePlace()
    const other = await elsewhere.open()
    expect(() => store.batch().put(other.namespace('a'), bytes('k'), bytes('v'))).toThrow(expect.objectContaining({ code: 'ERR_STORE_BATCH' }))
    await expect(store.commit(other.batch(), 'block')).rejects.toMatchObject({ code: 'ERR_STORE_BATCH' })
    await other.close()
    elsewhere.remove()
  })
})
