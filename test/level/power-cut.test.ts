import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SyncPolicy, createStore } from '../../plugins/level/index.js'
import { createRandom } from '../kit/random.js'
import { SimDisk } from '../kit/sim-disk.js'
import { put, rows } from './backends.js'

const scenario = fc.record({
  seed: fc.integer(),
  sync: fc.constantFrom<SyncPolicy>('all', 'blocks', 'off'),
  end: fc.constantFrom('power', 'kill'),
  commits: fc.array(fc.record({ kind: fc.constantFrom('block', 'record'), pause: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 30 }),
  cutAfter: fc.nat({ max: 40 }),
})

/** Two rows a commit: a batch that is half there would show. */
const NUMBERED = (n: number): Record<string, string> => ({ [`a-${String(n).padStart(3, '0')}`]: '', [`b-${String(n).padStart(3, '0')}`]: '' })

describe('a store after its machine or its process died', () => {
  it('holds a prefix of the batches, each whole, with everything that was promised', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, sync, end, commits, cutAfter }) => {
        const random = createRandom(seed)
        const waiting: (() => void)[] = []
        let slow = false
        const disk = new SimDisk({ schedule: (complete) => (slow ? waiting.push(complete) : queueMicrotask(complete)) })
        const store = await createStore(disk.open(), { sync })
        slow = true
        let promised = 0
        let steps = 0
        for (const [n, { kind, pause }] of commits.entries()) {
          void put(store, 'log', NUMBERED(n), kind).then(() => {
            const durable = end === 'kill' || sync === 'all' || (sync === 'blocks' && kind === 'block')
            if (durable) promised = Math.max(promised, n + 1)
          })
          for (let step = 0; step < pause && steps < cutAfter; step += 1, steps += 1) {
            for (let turn = 0; turn < 12; turn += 1) await Promise.resolve()
            waiting.shift()?.()
            for (let turn = 0; turn < 12; turn += 1) await Promise.resolve()
          }
        }
        if (end === 'power') disk.powerCut(random.next)
        else disk.killProcess(random.next)
        slow = false
        const again = await createStore(disk.open(), { sync })
        const found = await rows(again.namespace('log').entries())
        const count = found.length / 2
        expect(Number.isInteger(count)).toBe(true)
        expect(found).toEqual(
          Array.from({ length: count }, (_, n) => Object.keys(NUMBERED(n)).map((key) => `${key}=`))
            .flat()
            .sort(),
        )
        expect(count).toBeGreaterThanOrEqual(promised)
      }),
      { numRuns: 300 },
    )
  })

  it('loses votes that were answered if they were not synced: what kill -9 alone cannot show', async () => {
    let lost = 0
    for (let seed = 0; seed < 20; seed += 1) {
      const disk = new SimDisk()
      const store = await createStore(disk.open(), { sync: 'blocks' })
      await put(store, 'votes', { k: 'v' }, 'record')
      disk.powerCut(createRandom(seed).next)
      const again = await createStore(disk.open(), { sync: 'blocks' })
      lost += (await rows(again.namespace('votes').entries())).length === 0 ? 1 : 0
    }
    expect(lost).toBeGreaterThan(0)
    expect(lost).toBeLessThan(20)
  })
})
