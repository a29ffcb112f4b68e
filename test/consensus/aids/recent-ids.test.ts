import { describe, expect, it } from 'vitest'
import { createRecentIds } from '../../../plugins/consensus/index.js'

describe('recent ids', () => {
  it('knows at least the newest half of its bound and forgets the oldest', () => {
    const ids = createRecentIds(10)
    for (let n = 0; n < 100; n += 1) ids.add(String(n))
    const known = Array.from({ length: 100 }, (_, n) => n).filter((n) => ids.has(String(n)))
    expect(known.length).toBeGreaterThanOrEqual(5)
    expect(known.length).toBeLessThanOrEqual(10)
    expect(known).toEqual(Array.from({ length: known.length }, (_, index) => 100 - known.length + index))
  })

  it('knows from the start what it is given', () => {
    expect(createRecentIds(10, ['a', 'b']).has('a')).toBe(true)
    expect(createRecentIds(4, ['a', 'b', 'c', 'd', 'e']).has('a')).toBe(false)
  })
})
