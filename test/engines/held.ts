import { readdirSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, vi } from 'vitest'

/** How often this process holds what of the system: active resources, open files, children, listeners of the process. Timers are left out, they are the runner's too. */
export type Held = ReadonlyMap<string, number>

const LOOK_MS = 20
/** So many looks without a change, and what was closing is closed. */
const STILL_LOOKS = 25
/** Against what never ends, not against slow machines. */
const AT_MOST_MS = 60_000

function children(): number {
  const ofTask = (task: string): string[] => readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ')
  return readdirSync('/proc/self/task')
    .flatMap((task) => ofTask(task))
    .filter((pid) => pid !== '').length
}

export function held(): Held {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) if (name !== 'Timeout') counts.set(name, (counts.get(name) ?? 0) + 1)
  counts.set('open files', readdirSync('/proc/self/fd').length)
  counts.set('children', children())
  for (const name of process.eventNames()) counts.set(`listeners of ${String(name)}`, process.listenerCount(name))
  return counts
}

/** What is held once nothing changes any more: pipes of a process that is gone close a moment after it, and a beginning that counts them hides what is lost later. */
export async function settled(): Promise<Held> {
  let [last, still] = [held(), 0]
  for (const endMs = performance.now() + AT_MOST_MS; still < STILL_LOOKS && performance.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    const now = held()
    still = JSON.stringify([...now]) === JSON.stringify([...last]) ? still + 1 : 0
    last = now
  }
  return last
}

/** Of what there is more now than before; fewer are no leak. */
function moreThan(before: Held): string[] {
  return [...held()].flatMap(([name, count]) => (count > (before.get(name) ?? 0) ? [`${name}: ${count} instead of ${before.get(name) ?? 0}`] : []))
}

/** Fails unless, soon, there is nothing more than before. */
export async function expectNothingMore(before: Held): Promise<void> {
  await vi.waitFor(() => expect(moreThan(before)).toEqual([]), { timeout: AT_MOST_MS, interval: LOOK_MS })
}

/** The same but for so many processes that have to be gone. */
export async function expectFewerChildren(before: Held, fewer: number): Promise<void> {
  await expectNothingMore(new Map([...before, ['children', (before.get('children') ?? 0) - fewer]]))
}

/** What is on the heap after a collection, in bytes. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') for (let round = 0; round < 3; round++) collect()
  return process.memoryUsage().heapUsed
}
