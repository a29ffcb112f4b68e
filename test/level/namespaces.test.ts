import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KeyRange, Store } from '../../plugins/level/index.js'
import { BACKENDS, type Place, bytes, get, put, rows } from './backends.js'

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex')

/** Keys that sit at the edges of other namespaces' prefixes. */
const key = fc.array(fc.constantFrom(0x00, 0x01, 0x02, 0x7f, 0xef, 0xf0, 0xfe, 0xff), { maxLength: 4 }).map((list) => Uint8Array.from(list))
const namespace = fc.constantFrom('a', 'b', 'c')
const operation = fc.record({ namespace, key, value: fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }) })
const bound = fc.option(key, { nil: undefined })
const range = fc.record({ gte: bound, gt: bound, lte: bound, lt: bound, reverse: fc.boolean(), limit: fc.option(fc.nat({ max: 5 }), { nil: undefined }) })

type Model = Map<string, Map<string, string>>

function expected(model: Model, name: string, { gte, gt, lte, lt, reverse, limit }: KeyRange): string[][] {
  const sorted = [...(model.get(name) ?? [])].sort(([one], [other]) => (one < other ? -1 : 1))
  const inRange = sorted.filter(
    ([at]) =>
      (gte === undefined || at >= hex(gte)) &&
      (gt === undefined || at > hex(gt)) &&
      (lte === undefined || at <= hex(lte)) &&
      (lt === undefined || at < hex(lt)),
  )
  return (reverse === true ? inRange.reverse() : inRange).slice(0, limit)
}

async function check(
  store: Store,
  batches: readonly (readonly { namespace: string; key: Uint8Array; value: Uint8Array | undefined }[])[],
  ranges: readonly KeyRange[],
): Promise<void> {
  const model: Model = new Map(['a', 'b', 'c'].map((name) => [name, new Map()]))
  for (const name of model.keys()) {
    const clear = store.batch()
    for await (const [at] of store.namespace(name).entries()) clear.delete(store.namespace(name), at)
    await store.commit(clear, 'record')
  }
  const commits = batches.map((operations) => {
    const batch = store.batch()
    for (const { namespace: name, key: at, value } of operations) {
      if (value === undefined) {
        batch.delete(store.namespace(name), at)
        model.get(name)?.delete(hex(at))
      } else {
        batch.put(store.namespace(name), at, value)
        model.get(name)?.set(hex(at), hex(value))
      }
    }
    return store.commit(batch, 'record')
  })
  await Promise.all(commits)
  for (const name of model.keys()) {
    for (const wanted of [{}, ...ranges]) {
      const found: string[][] = []
      for await (const [at, value] of store.namespace(name).entries(wanted)) found.push([hex(at), hex(value)])
      expect(found).toEqual(expected(model, name, wanted))
    }
    for (const [at, value] of model.get(name) ?? []) expect(hex(store.namespace(name).get(Buffer.from(at, 'hex')) ?? bytes('missing'))).toBe(value)
  }
}

describe.each(BACKENDS)('namespaces on $name', ({ place: makePlace }) => {
  let place: Place
  let store: Store
  beforeEach(async () => {
    place = makePlace()
    store = await place.open({ sync: 'off' })
  })
  afterEach(async () => {
    await store.close()
    place.remove()
  })

  it('behave as separate sorted maps of bytes, whatever the bytes are', async () => {
    const batches = fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(batches, fc.array(range, { maxLength: 3 }), (list, ranges) => check(store, list, ranges)),
      { numRuns: 60 },
    )
  })

  it('are the same object for the same name', () => {
    expect(store.namespace('blocks')).toBe(store.namespace('blocks'))
    expect(store.namespace('blocks').name).toBe('blocks')
  })

  it('keep their data when names are asked for in another order and new ones come', async () => {
    await put(store, 'one', { k: '1' })
    await put(store, 'two', { k: '2' })
    await store.close()
    store = await place.open({ sync: 'off' })
    await put(store, 'three', { k: '3' })
    await store.close()
    store = await place.open({ sync: 'off' })
    expect(['three', 'two', 'one'].map((name) => get(store, name, 'k'))).toEqual(['3', '2', '1'])
  })

  it('do not take a number twice if a name was asked for and never used', async () => {
    store.namespace('unused')
    await put(store, 'used', { k: 'v' })
    await store.close()
    store = await place.open({ sync: 'off' })
    await put(store, 'later', { k: 'w' })
    expect(await rows(store.namespace('used').entries())).toEqual(['k=v'])
    expect(await rows(store.namespace('unused').entries())).toEqual([])
  })

  it('stay apart beyond the numbers that fit one byte', async () => {
    const names = Array.from({ length: 300 }, (_, n) => `n-${n}`)
    await Promise.all(names.map((name) => put(store, name, { k: name, '\xff\xff\xff\xff\xff': 'last' })))
    await store.close()
    store = await place.open({ sync: 'off' })
    for (const name of names) expect(await rows(store.namespace(name).entries())).toEqual([`k=${name}`, '\xff\xff\xff\xff\xff=last'])
  })

  it.each(['', 'A', '1a', 'a_b', 'a/b', 'a'.repeat(65)])('refuse the name %j', (name) => {
    expect(() => store.namespace(name)).toThrow(expect.objectContaining({ code: 'ERR_STORE_NAMESPACE' }))
  })
})
