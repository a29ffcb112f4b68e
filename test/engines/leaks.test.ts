import { readdirSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it, vi } from 'vitest'
import { isolated, requestOf, startAt, witness } from './kit.js'

/** `WEFT_LONG=1` for the thousand cycles that a release has to stand. */
const CYCLES = process.env.WEFT_LONG === '1' ? 1000 : 12
const WARM_UP = 3

/** What may stay of the runner and of the measurement itself, whatever the number of cycles. */
const HEAP_SLACK_BYTES = 4 * 1024 * 1024

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') for (let round = 0; round < 3; round++) collect()
  return process.memoryUsage().heapUsed
}

function handles(): { readonly resources: number; readonly files: number } {
  return { resources: process.getActiveResourcesInfo().length, files: readdirSync('/proc/self/fd').length }
}

function children(): number {
  return readdirSync('/proc/self/task').flatMap((task) => readChildren(task)).length
}

function readChildren(task: string): string[] {
  return readFileSync(`/proc/self/task/${task}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '')
}

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
    const [before, childrenBefore, heapBefore] = [handles(), children(), heapBytes()]
    const listeners = process.eventNames().map((name) => [name, process.listenerCount(name)])
    for (let index = 0; index < CYCLES; index++) await cycle(index)
    // The ends of what the last process printed are read a moment after it is gone.
    await vi.waitFor(() => expect(handles()).toEqual(before), { timeout: 5000 })
    expect(heapBytes() - heapBefore).toBeLessThan(HEAP_SLACK_BYTES)
    expect(children()).toBe(childrenBefore)
    expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(listeners)
  },
  60_000 + CYCLES * 2000,
)
