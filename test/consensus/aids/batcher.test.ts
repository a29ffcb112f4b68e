import { describe, expect, it } from 'vitest'
import { type BatcherEffects, type BatcherOptions, createBatcher } from '../../../plugins/consensus/index.js'
import { VirtualTime } from '../../kit/virtual-clock.js'

/** A batcher on virtual time; every cut is noted with its moment. */
function bench({ bytesOf, isBusy, ...options }: Partial<BatcherOptions> & Pick<BatcherEffects<number>, 'bytesOf' | 'isBusy'> = {}) {
  const time = new VirtualTime()
  const cuts: { atMs: number; batch: number[] }[] = []
  let timersSet = 0
  let cancel = (): void => undefined
  const batcher = createBatcher<number>(
    { batching: 'adaptive', size: 10, timeoutMs: 1000, ...options },
    {
      now: () => time.nowMs,
      setTimer: (delayMs) => {
        timersSet++
        cancel()
        cancel = time.schedule(delayMs, () => batcher.timeUp())
      },
      cancelTimer: () => cancel(),
      cut: (batch) => cuts.push({ atMs: time.nowMs, batch }),
      ...(bytesOf ? { bytesOf } : {}),
      ...(isBusy ? { isBusy } : {}),
    },
  )
  const run = (untilMs: number): void => {
    for (let next = time.nextMs(); next !== undefined && next <= untilMs; next = time.nextMs()) time.step()
    time.advanceTo(untilMs)
  }
  const add = (count: number, first = 0): void => {
    for (let item = first; item < first + count; item++) batcher.add(item)
  }
  return { batcher, cuts, run, add, timersSet: () => timersSet }
}

const sizes = (cuts: readonly { atMs: number; batch: number[] }[]) => cuts.map(({ atMs, batch }) => [atMs, batch.length])

describe.each(['adaptive', 'fixed'] as const)('%s batching of large requests', (batching) => {
  it('calls a batch full that has so many bytes, and makes it larger for a single request alone', () => {
    const { cuts, batcher, run } = bench({ batching, maxBytes: 10, maxInFlight: 9, bytesOf: (item) => item })
    for (const bytes of [4, 5]) batcher.add(bytes)
    expect(cuts).toEqual([])
    for (const bytes of [3, 30, 1, 9, 2]) batcher.add(bytes)
    run(2000)
    expect(cuts.map(({ batch }) => batch)).toEqual([[4, 5], [3], [30], [1, 9], [2]])
  })

  it('counts anew when it is emptied', () => {
    const { cuts, batcher, run } = bench({ batching, maxBytes: 10, bytesOf: (item) => item })
    batcher.add(9)
    batcher.clear()
    batcher.add(8)
    expect(cuts).toEqual([])
    run(2000)
    expect(cuts.map(({ batch }) => batch)).toEqual([[8]])
  })
})

describe('adaptive batching', () => {
  it('cuts at once when idle, with everything that arrived in the same turn', () => {
    const { cuts, run, add, timersSet } = bench()
    add(3)
    expect(cuts).toEqual([])
    run(0)
    expect(cuts).toEqual([{ atMs: 0, batch: [0, 1, 2] }])
    expect(timersSet()).toBe(1)
  })

  it('cuts a full batch without waiting for the turn to end', () => {
    const { cuts, add } = bench()
    add(10)
    expect(sizes(cuts)).toEqual([[0, 10]])
  })

  it('with none in flight, but an engine that calls itself busy, cuts 50 ms after the last cut', () => {
    let isBusy = true
    const { cuts, run, add, batcher } = bench({ isBusy: () => isBusy })
    add(1)
    run(10)
    batcher.finished()
    add(1, 1)
    run(49)
    expect(sizes(cuts)).toEqual([[0, 1]])
    run(50)
    batcher.finished()
    isBusy = false
    add(1, 2)
    run(51)
    expect(sizes(cuts)).toEqual([
      [0, 1],
      [50, 1],
      [50, 1],
    ])
  })

  it('with one batch in flight cuts the next 50 ms after the last cut', () => {
    const { cuts, run, add } = bench()
    add(1)
    run(20)
    add(2, 1)
    run(49)
    expect(sizes(cuts)).toEqual([[0, 1]])
    run(50)
    expect(sizes(cuts)).toEqual([
      [0, 1],
      [50, 2],
    ])
  })

  it('never has more than two batches in flight, and grows the next one meanwhile', () => {
    const { batcher, cuts, run, add } = bench({ size: 100 })
    add(1)
    run(0)
    add(5)
    run(60)
    add(70)
    run(500)
    expect(sizes(cuts)).toEqual([
      [0, 1],
      [50, 5],
    ])
    batcher.finished()
    expect(sizes(cuts)[2]).toEqual([500, 70])
  })

  it('cuts what waited as soon as it is idle again', () => {
    const { batcher, cuts, run, add } = bench()
    add(1)
    run(0)
    add(4)
    run(10)
    batcher.finished()
    expect(sizes(cuts)).toEqual([
      [0, 1],
      [10, 4],
    ])
  })

  it('keeps the time-out as the upper bound', () => {
    const { cuts, run, add } = bench({ timeoutMs: 20 })
    add(1)
    run(5)
    add(1)
    run(25)
    expect(sizes(cuts)).toEqual([
      [0, 1],
      [25, 1],
    ])
  })

  it('splits what is more than one batch, in order of arrival', () => {
    const { batcher, cuts, run, add } = bench()
    add(35)
    expect(sizes(cuts)).toEqual([
      [0, 10],
      [0, 10],
    ])
    batcher.finished()
    batcher.finished()
    batcher.finished()
    run(0)
    expect(cuts.flatMap(({ batch }) => batch)).toEqual(Array.from({ length: 35 }, (_, item) => item))
  })
})

describe('fixed batching', () => {
  it('cuts on size, or one wait after the first request', () => {
    const { batcher, cuts, run, add } = bench({ batching: 'fixed' })
    add(1)
    run(400)
    add(1)
    run(999)
    expect(cuts).toEqual([])
    run(1000)
    expect(sizes(cuts)).toEqual([[1000, 2]])
    batcher.finished()
    add(10)
    expect(sizes(cuts)[1]).toEqual([1000, 10])
  })

  it('measures the wait from the first request of each batch', () => {
    const { cuts, run, add } = bench({ batching: 'fixed' })
    add(10)
    run(300)
    add(1)
    run(1299)
    expect(cuts).toHaveLength(1)
    run(1300)
    expect(cuts).toHaveLength(2)
  })
})

describe('clearing a batcher', () => {
  it('gives back what was not cut and cuts it never', () => {
    const { batcher, cuts, run, add } = bench()
    add(3)
    expect(batcher.clear()).toEqual([0, 1, 2])
    run(5000)
    expect(cuts).toEqual([])
    expect(batcher.waiting).toBe(0)
  })
})
