import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Bytes of the heap that are in use after everything unreachable was collected; `settle` gives finalizers and microtasks their turn. */
export async function usedHeapBytes(): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collector()()
  }
  return process.memoryUsage().heapUsed
}

function collector(): () => void {
  if (collect) return collect
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  if (typeof found !== 'function') throw new TypeError('this Node cannot be told to collect garbage')
  const call = (): void => void Reflect.apply(found, undefined, [])
  collect = call
  return call
}

/** What keeps a process alive, and who listens to it, by name. */
export function heldResources(): Map<string, number> {
  const held = new Map<string, number>()
  const add = (name: string, count: number): void => void held.set(name, (held.get(name) ?? 0) + count)
  for (const name of process.getActiveResourcesInfo()) add(name, 1)
  for (const name of process.eventNames()) add(`listeners of process '${String(name)}'`, process.listenerCount(name))
  return held
}
