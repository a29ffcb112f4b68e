import { assert, array, constantFrom, integer, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairShares } from '../../../plugins/consensus/pool/fair-shares.js'

const ROOM = 1000
const ROOM_BYTES = 1_000_000

/** A pool of so much room, in which origins take and give back. */
function setup() {
  const shares = new FairShares()
  const waiting: { readonly origin: string; readonly bytes: number }[] = []
  const free = () => ({ requests: ROOM - waiting.length, bytes: ROOM_BYTES - waiting.reduce((sum, { bytes }) => sum + bytes, 0) })
  const take = (origin: string, bytes = 100): boolean => {
    const room = free()
    if (room.requests <= 0 || room.bytes < bytes || !shares.admits(origin, bytes, room)) return false
    shares.entered(origin, bytes)
    waiting.push({ origin, bytes })
    return true
  }
  /** The request that waits longest ends. */
  const end = (): void => {
    const first = waiting.shift()
    if (first) shares.left(first.origin, first.bytes)
  }
  const fill = (origin: string, bytes?: number): number => {
    let taken = 0
    while (take(origin, bytes)) taken++
    return taken
  }
  return { shares, take, end, fill, free }
}

describe('the share of one origin', () => {
  it('is four fifths if nobody else comes', () => {
    expect(setup().fill('one')).toBe(800)
  })

  it('is four fifths of the bytes as well', () => {
    const { fill, free } = setup()
    fill('one', 10_000)
    expect(free().bytes).toBe(200_000)
  })

  it('is what one large transaction takes, if that fits at all', () => {
    const { take } = setup()
    expect(take('one', ROOM_BYTES)).toBe(true)
    expect(take('two', 1)).toBe(false)
  })

  it('becomes equal for two that flood, as what the first had taken ends', () => {
    const { shares, fill, end } = setup()
    for (let round = 0; round < 2000; round++) {
      fill('first')
      fill('second')
      end()
    }
    expect(Math.abs(shares.of('first') - shares.of('second'))).toBeLessThan(30)
    expect(shares.of('first')).toBeGreaterThan(400)
  })

  it('leaves room for whoever comes next, whatever a flood takes and whatever ends meanwhile', () => {
    const step = record({ origin: constantFrom('a', 'b', 'c'), bytes: integer({ min: 1, max: 2000 }), ends: integer({ min: 0, max: 3 }) })
    assert(
      property(array(step, { minLength: 1, maxLength: 3000 }), (steps) => {
        const { take, end, fill } = setup()
        fill('a')
        for (const { origin, bytes, ends } of steps) {
          take(origin, bytes)
          for (let ended = 0; ended < ends; ended++) end()
        }
        // Three that each leave a fifth of what they find.
        expect(fill('newcomer')).toBeGreaterThan(4)
      }),
      { numRuns: 100 },
    )
  })

  it('is forgotten with the last of its requests', () => {
    const { shares, take, end } = setup()
    take('one')
    end()
    expect(shares.of('one')).toBe(0)
    expect(shares.admits('one', 1, { requests: 0, bytes: 1 })).toBe(true)
  })
})
