import { expect, it } from 'vitest'
import { expectNothingMore, heapBytes, settled } from './held.js'
import { isolated, requestOf, startAt, witness } from './kit.js'

/** `WEFT_LONG=1` for the thousand cycles that a release has to stand. */
const CYCLES = process.env.WEFT_LONG === '1' ? 1000 : 12
const WARM_UP = 3

/** What may stay of the runner and of the measurement itself, whatever the number of cycles. */
const HEAP_SLACK_BYTES = 4 * 1024 * 1024

it(
  'leaves nothing behind, however often it starts and stops',
  async () => {
    const maker = await isolated('echo', {})
    const cycle = async (index: number): Promise<void> => {
      const seen = witness()
      const seat = maker(seen.options)
      seat.begin(startAt(0n))
      seat.post({ type: 'request', request: requestOf('a') })
      // Also before it is up, and after it was cut off.
      if (index % 3 !== 2) await seen.until(() => seen.carried.flat().some(({ type }) => type === 'deliver'))
      if (index % 3 === 1) seat.end()
      await seat.dispose()
      expect(seen.faults).toEqual([])
    }
    for (let index = 0; index < WARM_UP; index++) await cycle(index)
    const [before, heapBefore] = [await settled(), heapBytes()]
    for (let index = 0; index < CYCLES; index++) await cycle(index)
    await expectNothingMore(before)
    expect(heapBytes() - heapBefore).toBeLessThan(HEAP_SLACK_BYTES)
  },
  180_000 + CYCLES * 5000,
)
