import { type Change, SimLevel, type SimMachine } from './sim-disk-level.js'
import { SortedTable } from './sim-disk-table.js'

/** How a write can fail: no room (nothing of it is in the log), or the sync fails (it is in the log, nobody knows whether on the disk). */
export type DiskFault = 'ENOSPC' | 'EIO'

export interface SimDiskOptions {
  /** Runs the completion of a write later, once: a virtual scheduler, for slow disks. Default: the next microtask. */
  readonly schedule?: (complete: () => void) => void
}

/** Uniform in [0, 1); all that a cut decides comes from here. */
export type Draw = () => number

interface Write {
  readonly changes: readonly Change[]
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

/**
 * A disk that knows what was written and what was synced, with LevelDB's rules: a log in order, batches whole or not at all, a synced
 * write takes everything before it along. Processes come ({@link open}) and die; the disk stays.
 *
 * A process that died gets no answers: what it was waiting for never settles, as with a real one.
 */
export class SimDisk {
  readonly #table = new SortedTable()
  readonly #schedule: (complete: () => void) => void
  /** Writes in the log that are not synced, oldest first, each with what undoes it. */
  #unsynced: Change[][] = []
  /** Writes that have been asked for and not completed. */
  #inFlight: Write[] = []
  /** In the log, but neither synced nor applied: its sync failed. */
  #limbo: readonly Change[] | undefined
  #fault: DiskFault | undefined
  #writesBeforeFault = 0
  #hasFailed = false
  #broken: Error | undefined
  #process: SimLevel | undefined
  #counts = { writes: 0, syncs: 0, changes: 0 }

  constructor(options: SimDiskOptions = {}) {
    this.#schedule = options.schedule ?? queueMicrotask
  }

  /** Completed writes, how many of them were synced, and their changes. */
  get counts(): { readonly writes: number; readonly syncs: number; readonly changes: number } {
    return { ...this.#counts }
  }

  /** Writes that a power cut could lose. */
  get unsyncedWrites(): number {
    return this.#unsynced.length + this.#inFlight.length
  }

  /** A database over what is on the disk, for a new process. Opening it fails with LEVEL_LOCKED while another one holds the disk. */
  open(): SimLevel {
    return new SimLevel(this.#machine)
  }

  /** Makes the next write that completes fail, or one so many writes later; undefined takes it back. After `EIO` the process can write nothing more, as LevelDB does. */
  failNextWrite(fault: DiskFault | undefined, afterWrites = 0): void {
    this.#fault = fault
    this.#writesBeforeFault = afterWrites
  }

  /** A write of the present process has failed. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** The process dies (`kill -9`): what the system was given stays; of the writes in flight some first ones may have reached it. */
  killProcess(draw: Draw): void {
    const reached = upTo(this.#notApplied().length, draw)
    const first = this.#limbo === undefined ? 0 : 1
    for (const changes of this.#notApplied().slice(0, Math.max(first, reached))) this.#append(changes)
    this.#die()
  }

  /** The power goes: of everything that is not synced, in flight or not, a prefix survives: all, some, or nothing. */
  powerCut(draw: Draw): void {
    const notApplied = this.#notApplied()
    const survivors = upTo(this.#unsynced.length + notApplied.length, draw)
    for (const undo of this.#unsynced.slice(survivors).reverse()) this.#apply(undo)
    for (const changes of notApplied.slice(0, Math.max(0, survivors - this.#unsynced.length))) this.#apply(changes)
    this.#unsynced = []
    this.#die()
  }

  readonly #machine: SimMachine = {
    table: this.#table,
    open: (process) => {
      if (this.#process !== undefined) throw diskError('LEVEL_LOCKED', 'IO error: lock /sim/LOCK: already held by process')
      this.#process = process
    },
    close: (process) => {
      if (this.#process === process) this.#release()
    },
    write: (process, changes, sync) =>
      new Promise<void>((resolve, reject) => {
        if (process !== this.#process) return
        this.#inFlight.push({ changes, sync, resolve, reject })
        this.#schedule(() => this.#complete(process))
      }),
  }

  /** Completes the oldest write: whatever order a scheduler chooses, the log is in order. */
  #complete(process: SimLevel): void {
    if (process !== this.#process) return
    const write = this.#inFlight.shift()
    if (write === undefined) return
    const failed = this.#failure(write)
    if (failed !== undefined) return write.reject(failed)
    this.#append(write.changes)
    if (write.sync) this.#unsynced = []
    this.#counts.writes += 1
    this.#counts.syncs += write.sync ? 1 : 0
    this.#counts.changes += write.changes.length
    write.resolve()
  }

  #failure(write: Write): Error | undefined {
    if (this.#broken !== undefined) return this.#broken
    const fault = this.#fault
    if (fault === undefined || this.#writesBeforeFault-- > 0) return undefined
    this.#fault = undefined
    this.#hasFailed = true
    if (fault === 'ENOSPC') return diskError('LEVEL_IO_ERROR', 'IO error: /sim/000003.log: No space left on device')
    this.#limbo = write.changes
    this.#broken = diskError('LEVEL_IO_ERROR', 'IO error: /sim/000003.log: Input/output error')
    return this.#broken
  }

  #append(changes: readonly Change[]): void {
    this.#unsynced.push(this.#apply(changes))
  }

  /** What may be in the log without being visible: a write whose sync failed (nothing comes after it), or the writes in flight. */
  #notApplied(): readonly (readonly Change[])[] {
    return this.#limbo === undefined ? this.#inFlight.map(({ changes }) => changes) : [this.#limbo]
  }

  /** Applies changes in order; returns what undoes them, in order. */
  #apply(changes: readonly Change[]): Change[] {
    const undo: Change[] = []
    for (const [key, value] of changes) undo.unshift([key, this.#table.set(key, value)])
    return undo
  }

  #die(): void {
    this.#inFlight = []
    this.#limbo = undefined
    this.#fault = undefined
    this.#release()
  }

  #release(): void {
    if (this.#limbo !== undefined) this.#append(this.#limbo)
    this.#limbo = undefined
    this.#broken = undefined
    this.#hasFailed = false
    this.#process = undefined
  }
}

/** A whole number in [0, most]. */
function upTo(most: number, draw: Draw): number {
  return Math.min(most, Math.floor(draw() * (most + 1)))
}

function diskError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
