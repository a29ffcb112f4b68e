import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteCache } from '../../plugins/ledger/bucket-tree/cache.js'

describe('the cache', () => {
  it('never holds more than its bound, and never another value than the last', () => {
    const step = fc.record({ id: fc.nat(9), bytes: fc.integer({ min: 1, max: 12 }), kind: fc.constantFrom('get', 'set', 'delete') })
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 0, max: 40 }), (steps, maxBytes) => {
        const cache = new ByteCache<number>(maxBytes)
        const last = new Map<number, number>()
        for (const [i, { id, bytes, kind }] of steps.entries()) {
          if (kind === 'set') {
            cache.set(id, i, bytes)
            last.set(id, i)
          } else if (kind === 'delete') {
            cache.delete(id)
            last.delete(id)
          } else expect([undefined, last.get(id)]).toContain(cache.get(id))
          expect(cache.byteLength).toBeLessThanOrEqual(maxBytes)
        }
      }),
    )
  })

  it('keeps what is used and forgets what is not', () => {
    const cache = new ByteCache<string>(100)
    cache.set(1, 'used', 10)
    cache.set(2, 'unused', 10)
    for (let id = 3; id < 30; id += 1) {
      cache.set(id, 'other', 10)
      expect(cache.get(1)).toBe('used')
    }
    expect(cache.get(2)).toBeUndefined()
  })

  it('of no size keeps nothing', () => {
    const cache = new ByteCache<string>(0)
    cache.set(1, 'x', 1)
    expect(cache.get(1)).toBeUndefined()
  })
})
