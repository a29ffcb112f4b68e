import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Bytes that are in use, on the heap and in array buffers, after everything unreachable was collected, and finalizers and microtasks had their turn. */
export async function usedMemoryBytes(): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collector()()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
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
