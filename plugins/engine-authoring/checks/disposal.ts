import type { Engine, EngineFactory } from '../../consensus/index.js'
import { type Check, type CheckContext, expect, type Kit } from './check.js'
import { recordedLives, type Recording } from './lives.js'
import { heldResources } from './held-resources.js'

const ROUNDS = 4
const CYCLES = 250
const WARM_UP = 50
/** Calls of each life: enough to fill what an engine keeps, few enough for a thousand lives. */
const CALLS = 150
/** Beyond what a heap moves by itself. */
const MOST_BYTES_PER_CYCLE = 512

/** Creates and disposes of many instances and looks at what stays. */
export function disposalChecks(context: CheckContext): Check[] {
  const { kit, loaded, options } = context
  const lives = recordedLives(context)
  return [
    {
      part: 'dispose',
      name: 'instances that were disposed of leave no memory, handles or listeners',
      kind: 'contract',
      run: async () => {
        const recordings = (await lives()).slice(0, 8).map(shortened)
        const watched: WeakRef<Engine>[] = []
        live(kit, watching(kit, loaded.factory, watched), options, recordings, WARM_UP)
        watched.length = 0
        const before = heldResources()
        const heap = [await kit.usedMemoryBytes()]
        for (let round = 0; round < ROUNDS; round += 1) {
          watched.length = 0
          live(kit, watching(kit, loaded.factory, watched), options, recordings, CYCLES)
          heap.push(await kit.usedMemoryBytes())
        }
        const more = [...heldResources()].filter(([name, count]) => count > (before.get(name) ?? 0))
        expect(
          more.length === 0,
          `expected nothing to be held; there are more of ${more.map(([name, count]) => `${name} (${count}, ${before.get(name) ?? 0} before)`).join(', ')}`,
        )
        const kept = watched.filter((reference) => reference.deref() !== undefined).length
        expect(kept <= watched.length / 10, `expected that instances can be collected once disposed of; ${kept} of ${watched.length} are still held`)
        const perCycle = Math.round(growthOf(heap) / CYCLES)
        expect(
          perCycle <= MOST_BYTES_PER_CYCLE,
          `expected that the heap stays as it is; each instance leaves ${perCycle} bytes (${heap.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(', ')})`,
        )
        return { detail: `${ROUNDS * CYCLES} instances; ${Math.max(0, perCycle)} bytes of heap each` }
      },
    },
  ]
}

/** The smallest growth of a round: what every round keeps. One that only grows now and then is the collector's. */
function growthOf(heap: readonly number[]): number {
  return Math.min(...heap.slice(1).map((bytes, index) => bytes - (heap[index] ?? 0)))
}

function live(kit: Kit, factory: EngineFactory, options: unknown, recordings: readonly Recording[], cycles: number): void {
  const parsed = factory.parseOptions(options)
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const recording = recordings[cycle % recordings.length]
    if (!recording) continue
    kit.revive(factory, parsed, recording).tell((engine) => engine.dispose?.())
  }
}

function watching(kit: Kit, factory: EngineFactory, watched: WeakRef<Engine>[]): EngineFactory {
  return kit.factoryWith(factory, (host, options, start) => {
    const engine = factory.create(host, options, start)
    watched.push(new WeakRef(engine))
    return engine
  })
}

/** Without its end: that is what is looked at. */
function shortened(recording: Recording): Recording {
  return { ...recording, calls: recording.calls.slice(0, CALLS).filter(({ event }) => event.type !== 'dispose') }
}
