import { describe, expect, it } from 'vitest'
import { Room } from '../../../plugins/consensus/pool/room.js'

/** A room on a clock of its own, with requests that end at a rate while something waits. */
function setup(maxRequests = 20_000) {
  let now = 0
  const room = new Room({ maxRequests, elapsedMs: () => now })
  return {
    room,
    wait: (ms: number) => {
      now += ms
    },
    /** Commits blocks of so many every 50 ms; the door is asked as often. */
    commit: (perBlock: number, blocks: number) => {
      room.entered(true)
      for (let block = 0; block < blocks; block++) {
        now += 50
        for (let request = 0; request < perBlock; request++) room.left(false)
        room.bound()
      }
    },
  }
}

describe('how many requests may wait', () => {
  it('is a thousand and a quarter more before anything is measured, or fewer if the site says so', () => {
    expect(setup().room.bound()).toBe(1250)
    expect(setup(10).room.bound()).toBe(10)
  })

  it('is what ends in two and a half seconds', () => {
    const { room, commit } = setup()
    commit(100, 200)
    expect(room.bound()).toBeGreaterThan(4900)
    expect(room.bound()).toBeLessThanOrEqual(5000)
  })

  it('is never more than the site says', () => {
    const { room, commit } = setup(3000)
    commit(1000, 200)
    expect(room.bound()).toBe(3000)
  })

  it('falls when commits become slow, but never below that', () => {
    const { room, commit, wait } = setup()
    commit(100, 200)
    commit(50, 200)
    expect(room.bound()).toBeLessThan(2600)
    wait(60_000)
    expect(room.bound()).toBe(1250)
  })

  it('does not take an idle peer for a slow one', () => {
    const { room, commit, wait } = setup()
    commit(100, 200)
    const busy = room.bound()
    room.left(true)
    wait(3_600_000)
    expect(Math.abs(room.bound() - busy)).toBeLessThan(busy / 20)
  })
})

describe('when refused callers are told to come again', () => {
  it('is one after the other, as fast as requests end', () => {
    const { room, commit } = setup()
    commit(100, 200)
    const told = Array.from({ length: 200 }, () => room.refuse())
    expect(told).toEqual([...told].sort((left, right) => left - right))
    expect(told[0]).toBeLessThan(100)
    // 2,000 a second: 200 callers within a tenth of a second.
    expect((told.at(-1) ?? 0) - (told[0] ?? 0)).toBeGreaterThanOrEqual(95)
    expect((told.at(-1) ?? 0) - (told[0] ?? 0)).toBeLessThanOrEqual(110)
  })

  it('is within ten seconds, however many were told before', () => {
    const { room } = setup()
    const told = Array.from({ length: 10_000 }, () => room.refuse())
    expect(Math.max(...told)).toBeLessThanOrEqual(10_000)
    expect(Math.min(...told)).toBeGreaterThan(0)
  })

  it('is never a heap: those who cannot all come within ten seconds are spread out', () => {
    const { room } = setup()
    const told = Array.from({ length: 20_000 }, () => room.refuse()).slice(10_000)
    const counts = new Map<number, number>()
    for (const ms of told) counts.set(Math.floor(ms / 1000), (counts.get(Math.floor(ms / 1000)) ?? 0) + 1)
    expect(Math.max(...counts.values())).toBeLessThan(2100)
  })

  it('begins anew when those who were told have come', () => {
    const { room, wait } = setup()
    for (let caller = 0; caller < 1000; caller++) room.refuse()
    wait(20_000)
    expect(room.refuse()).toBeLessThan(100)
  })

  /** A thousand callers who come again as soon as they are answered, and refused ones when they are told; returns how many were refused each second. */
  function flood(seconds: number): number[] {
    const { room, wait } = setup()
    let now = 0
    let waiting = 0
    let comeAt = Array.from({ length: 3000 }, () => 0)
    return Array.from({ length: seconds }, () => {
      let refused = 0
      for (const end = now + 1000; now < end; now += 10) {
        // Ten leave every 10 ms.
        for (let left = 0; left < 10 && waiting > 0; left++) {
          waiting--
          room.left(waiting === 0)
          comeAt.push(now)
        }
        const later: number[] = []
        for (const at of comeAt) {
          if (at > now) later.push(at)
          else if (waiting < room.bound()) room.entered(waiting++ === 0)
          else {
            refused++
            later.push(now + room.refuse())
          }
        }
        comeAt = later
        wait(10)
      }
      return refused
    })
  }

  it('is so that refusing costs little when many come again and again: fewer are refused than a quarter of those accepted', () => {
    const refused = flood(60)
    const lately = refused.slice(30)
    // A thousand are accepted each second.
    expect(lately.reduce((sum, count) => sum + count, 0) / lately.length).toBeLessThan(250)
    expect(refused.at(-1)).toBeGreaterThan(0)
  })
})
