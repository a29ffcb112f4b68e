import { createStore, type StoreOptions } from '../../plugins/level/index.js'
import type { MemoryDiskOptions, SimulatedDisk } from './memory-disk.js'
import type { Random } from './random.js'
import { SimDisk } from './sim-disk.js'
import type { VirtualTime } from './virtual-clock.js'

/** The real store plugin, with `options`, on the disk that drops what was not synced; writes take virtual time. */
export function createLevelDisk(time: VirtualTime, random: Random, { minWriteMs, maxWriteMs }: MemoryDiskOptions, options: StoreOptions = {}): SimulatedDisk {
  const newDisk = (): SimDisk =>
    new SimDisk({
      schedule: (complete) =>
        void time.schedule(disk.slowMs + random.between(minWriteMs, maxWriteMs), () => {
          complete()
          // Whoever waits for the write is told by a promise, so not before this has run.
          disk.onWrite?.()
        }),
    })
  let machine = newDisk()
  const disk: SimulatedDisk = {
    slowMs: 0,
    onWrite: undefined,
    get hasFailed() {
      return machine.hasFailed
    },
    failNextWrite: (fault, afterWrites) => machine.failNextWrite(fault, afterWrites),
    get writes() {
      return machine.counts.writes
    },
    open: () => createStore(machine.open(), options),
    crash(kind) {
      if (kind === 'power') machine.powerCut(random.next)
      else machine.killProcess(random.next)
    },
    wipe() {
      machine = newDisk()
    },
  }
  return disk
}
