import { PeerError } from '../../kernel/index.js'
import type { KeyRange, Namespace, Store, StoreBatch, StoreSnapshot, WriteKind } from '../../plugins/level/index.js'
import { fromLatin1, latin1 } from './latin1.js'
import type { Random } from './random.js'
import type { DiskFault } from './sim-disk.js'
import type { VirtualTime } from './virtual-clock.js'

/** How a peer ends: `kill` keeps what the operating system was given, `power` may lose whatever was not synced. */
export type CrashKind = 'kill' | 'power'

/** A simulated disk with a store on it; it outlives the peers that open it. */
export interface SimulatedDisk {
  /** Opens the store with what survived. */
  open(): Promise<Store>
  /** The peer ends now. Nothing that its store was asked for answers any more. */
  crash(kind: CrashKind): void
  /** Everything on it is lost; only while nothing has it open. */
  wipe(): void
  /** Synced writes so far. */
  readonly writes: number
  /** Added to the time of every write from now on: a slow disk. */
  slowMs: number
  /** When `afterWrites` more have been done, a write fails, and every later one until the peer ends; undefined takes that back. */
  failNextWrite(fault: DiskFault | undefined, afterWrites?: number): void
  /** A write has failed, and the peer that asked for it has not ended yet. */
  readonly hasFailed: boolean
  /** Called when a write has become durable and nobody has been told yet: the moment between any two writes. */
  onWrite: (() => void) | undefined
}

/** How long writes take. */
export interface MemoryDiskOptions {
  readonly minWriteMs: number
  readonly maxWriteMs: number
}

/** The values of one namespace by their key in latin1, whose order is that of the bytes. */
type Rows = Map<string, Uint8Array>

/** A namespace on the disk. */
interface Table {
  rows: Rows
  /** A snapshot has these rows: who writes copies them first. */
  isShared: boolean
}

/** Tables by name; a store that has it open holds on to each of them. */
type Tables = Map<string, Table>

interface Operation {
  readonly table: Table
  readonly id: string
  /** Undefined deletes. */
  readonly value: Uint8Array | undefined
}

interface Write {
  readonly operations: readonly Operation[]
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

/**
 * The store's contract kept in memory, for fast simulations: synced writes take virtual time, what waits together is written together in order,
 * a power cut leaves a random prefix of the group that was being written. The real store has its own simulated disk (sim-disk.ts).
 */
export function createMemoryDisk(time: VirtualTime, random: Random, options: MemoryDiskOptions): SimulatedDisk {
  return new MemoryDisk(time, random, options)
}

class MemoryDisk implements SimulatedDisk {
  writes = 0
  slowMs = 0
  onWrite: (() => void) | undefined
  readonly #tables: Tables = new Map()
  #current: MemoryStore | undefined
  #planned: { readonly fault: DiskFault; left: number } | undefined

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly options: MemoryDiskOptions,
  ) {}

  get hasFailed(): boolean {
    return this.#current?.failure !== undefined
  }

  failNextWrite(fault: DiskFault | undefined, afterWrites = 0): void {
    this.#planned = fault && { fault, left: afterWrites }
  }

  open(): Promise<Store> {
    const { minWriteMs, maxWriteMs } = this.options
    const store = new MemoryStore(this.#tables, {
      schedule: (task) => void this.time.schedule(this.slowMs + this.random.between(minWriteMs, maxWriteMs), task),
      fault: () => this.#nextFault(),
      written: () => {
        this.writes += 1
        this.onWrite?.()
      },
    })
    this.#current = store
    return Promise.resolve(store)
  }

  crash(kind: CrashKind): void {
    const isCertain = kind === 'kill' && !this.hasFailed
    this.#current?.crash((waiting) => (isCertain ? waiting : this.random.below(waiting + 1)))
    this.#current = undefined
  }

  wipe(): void {
    this.#tables.clear()
  }

  #nextFault(): DiskFault | undefined {
    const planned = this.#planned
    if (planned === undefined || planned.left-- > 0) return undefined
    this.#planned = undefined
    return planned.fault
  }
}

interface MemoryStoreHost {
  schedule(task: () => void): void
  /** How the write that is to be done now fails, if it does. */
  fault(): DiskFault | undefined
  written(): void
}

class MemorySnapshot implements StoreSnapshot {
  constructor(readonly rows: ReadonlyMap<string, Rows>) {}

  release(): Promise<void> {
    return Promise.resolve()
  }
}

class MemoryNamespace implements Namespace {
  constructor(
    readonly name: string,
    readonly table: Table,
  ) {}

  get(key: Uint8Array, at?: StoreSnapshot): Uint8Array | undefined {
    return this.#rows(at)?.get(latin1(key))
  }

  /** The bounds are read at once: as in the real store, later writes do not show in an iteration that has begun. */
  entries(range: KeyRange = {}, at?: StoreSnapshot): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    return iterate(select(this.#rows(at) ?? new Map(), range))
  }

  #rows(at: StoreSnapshot | undefined): Rows | undefined {
    return at instanceof MemorySnapshot ? at.rows.get(this.name) : this.table.rows
  }
}

class MemoryBatch implements StoreBatch {
  readonly operations: Operation[] = []
  byteLength = 0

  get size(): number {
    return this.operations.length
  }

  put(namespace: Namespace, key: Uint8Array, value: Uint8Array): void {
    this.operations.push({ table: tableOf(namespace), id: latin1(key), value })
    this.byteLength += key.length + value.length
  }

  delete(namespace: Namespace, key: Uint8Array): void {
    this.operations.push({ table: tableOf(namespace), id: latin1(key), value: undefined })
    this.byteLength += key.length
  }
}

function tableOf(namespace: Namespace): Table {
  if (namespace instanceof MemoryNamespace) return namespace.table
  throw new TypeError(`expected a namespace of this store, found ${namespace.name} of another one`)
}

class MemoryStore implements Store {
  readonly #tables: Tables
  readonly #host: MemoryStoreHost
  #waiting: Write[] = []
  #writing: Write[] = []
  #isDead = false
  /** Why nothing is written any more: a later write without an earlier one would be a state that never was. */
  failure: Error | undefined

  constructor(tables: Tables, host: MemoryStoreHost) {
    this.#tables = tables
    this.#host = host
  }

  namespace(name: string): Namespace {
    const table = this.#tables.get(name) ?? { rows: new Map<string, Uint8Array>(), isShared: false }
    this.#tables.set(name, table)
    return new MemoryNamespace(name, table)
  }

  batch(): StoreBatch {
    return new MemoryBatch()
  }

  commit(batch: StoreBatch, _kind: WriteKind): Promise<void> {
    if (!(batch instanceof MemoryBatch)) return Promise.reject(new TypeError('expected a batch of this store, found another one'))
    if (this.failure) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      if (this.#isDead) return
      this.#waiting.push({ operations: batch.operations, resolve, reject })
      if (this.#writing.length === 0) this.#writeGroup()
    })
  }

  snapshot(): StoreSnapshot {
    for (const table of this.#tables.values()) table.isShared = true
    return new MemorySnapshot(new Map([...this.#tables].map(([name, { rows }]) => [name, rows])))
  }

  close(): Promise<void> {
    this.#isDead = true
    return Promise.resolve()
  }

  /** `survivors` says how many of the writes in flight reached the disk. */
  crash(survivors: (waiting: number) => number): void {
    const inFlight = [...this.#writing, ...this.#waiting]
    for (const write of inFlight.slice(0, survivors(inFlight.length))) this.#apply(write)
    this.#writing = []
    this.#waiting = []
    this.#isDead = true
  }

  #writeGroup(): void {
    const group = this.#waiting
    this.#waiting = []
    this.#writing = group
    this.#host.schedule(() => {
      if (this.#isDead) return
      const fault = this.#host.fault()
      if (fault) return this.#fail(fault, group)
      for (const write of group) this.#apply(write)
      this.#writing = []
      this.#host.written()
      // `written` may have crashed the peer.
      if (this.#isAlive()) this.#acknowledge(group)
    })
  }

  /** After EIO what was being written may be on the disk: the crash that has to follow decides. */
  #fail(fault: DiskFault, group: readonly Write[]): void {
    this.failure = new PeerError('ERR_STORE_WRITE', `the store could not write: simulated ${fault}`)
    const failed = [...group, ...this.#waiting]
    this.#waiting = []
    this.#writing = fault === 'EIO' ? [...group] : []
    for (const { reject } of failed) reject(this.failure)
  }

  #isAlive(): boolean {
    return !this.#isDead
  }

  #acknowledge(group: readonly Write[]): void {
    for (const write of group) write.resolve()
    if (this.#waiting.length > 0) this.#writeGroup()
  }

  #apply(write: Write): void {
    for (const { table, id, value } of write.operations) {
      if (table.isShared) {
        table.rows = new Map(table.rows)
        table.isShared = false
      }
      if (value === undefined) table.rows.delete(id)
      else table.rows.set(id, value)
    }
  }
}

function select(rows: Rows, { gt, gte, lt, lte, reverse, limit }: KeyRange): (readonly [id: string, value: Uint8Array])[] {
  const bounds = [gt, gte, lt, lte].map((bound) => bound && latin1(bound))
  const [above, from, below, to] = bounds
  const isWanted = (id: string): boolean =>
    (above === undefined || id > above) && (from === undefined || id >= from) && (below === undefined || id < below) && (to === undefined || id <= to)
  const selected = [...rows].filter(([id]) => isWanted(id)).sort(([a], [b]) => (a < b ? -1 : 1))
  if (reverse) selected.reverse()
  return limit === undefined || limit < 0 ? selected : selected.slice(0, limit)
}

async function* iterate(rows: readonly (readonly [id: string, value: Uint8Array])[]): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
  for (const [id, value] of rows) yield [fromLatin1(id), value]
}
