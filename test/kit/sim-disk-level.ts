import { AbstractIterator, type AbstractIteratorOptions, AbstractLevel, AbstractSnapshot } from 'abstract-level'
import type { SortedTable, TableView } from './sim-disk-table.js'

/** One change of one key; `undefined` deletes. */
export type Change = readonly [key: Uint8Array, value: Uint8Array | undefined]

/** What a process needs of the disk that it runs on. */
export interface SimMachine {
  readonly table: SortedTable
  /** Refuses a second process. */
  open(process: SimLevel): void
  close(process: SimLevel): void
  /** Writes to the log, synced or not; never settles if the process dies first. */
  write(process: SimLevel, changes: readonly Change[], sync: boolean): Promise<void>
}

interface Operation {
  readonly type: 'put' | 'del'
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

interface WriteOptions {
  readonly sync?: boolean
}

interface ReadOptions {
  readonly snapshot?: AbstractSnapshot
}

type Range = AbstractIteratorOptions<Uint8Array, Uint8Array>

/** LevelDB's interface on a simulated disk: what one process sees of it. */
export class SimLevel extends AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array> {
  readonly #machine: SimMachine

  constructor(machine: SimMachine) {
    super(
      { encodings: { view: true }, has: true, explicitSnapshots: true, createIfMissing: false, errorIfExists: false },
      { keyEncoding: 'view', valueEncoding: 'view' },
    )
    this.#machine = machine
  }

  async _open(): Promise<void> {
    this.#machine.open(this)
  }

  async _close(): Promise<void> {
    this.#machine.close(this)
  }

  _getSync(key: Uint8Array, options: ReadOptions): Uint8Array | undefined {
    return copy((viewOf(options) ?? this.#machine.table).get(key))
  }

  async _get(key: Uint8Array, options: ReadOptions): Promise<Uint8Array | undefined> {
    return this._getSync(key, options)
  }

  async _getMany(keys: readonly Uint8Array[], options: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this._getSync(key, options))
  }

  async _has(key: Uint8Array, options: ReadOptions): Promise<boolean> {
    return this._getSync(key, options) !== undefined
  }

  async _hasMany(keys: readonly Uint8Array[], options: ReadOptions): Promise<boolean[]> {
    return keys.map((key) => this._getSync(key, options) !== undefined)
  }

  _put(key: Uint8Array, value: Uint8Array, options: WriteOptions): Promise<void> {
    return this._batch([{ type: 'put', key, value }], options)
  }

  _del(key: Uint8Array, options: WriteOptions): Promise<void> {
    return this._batch([{ type: 'del', key }], options)
  }

  _batch(operations: readonly Operation[], options: WriteOptions): Promise<void> {
    const changes = operations.map(({ type, key, value }): Change => [new Uint8Array(key), type === 'put' ? copy(value) : undefined])
    return this.#machine.write(this, changes, options.sync === true)
  }

  _clear(options: Range): Promise<void> {
    const view = viewOf(options) ?? this.#machine.table.view()
    const changes: Change[] = []
    for (const key of keysIn(view, options)) changes.push([key, undefined])
    return this.#machine.write(this, changes, false)
  }

  _iterator(options: Range): SimIterator {
    return new SimIterator(this, viewOf(options) ?? this.#machine.table.view(), options)
  }

  _snapshot(options: SnapshotOptions): AbstractSnapshot {
    return new SimSnapshot(options, this.#machine.table.view())
  }
}

interface SnapshotOptions {
  readonly owner: SimLevel
}

/** The base class takes options that its types leave out. */
const OwnedSnapshot: new (options: SnapshotOptions) => AbstractSnapshot = AbstractSnapshot

class SimSnapshot extends OwnedSnapshot {
  constructor(
    options: SnapshotOptions,
    readonly view: TableView,
  ) {
    super(options)
  }
}

/** `slice` of a Buffer would not copy. */
function copy(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : new Uint8Array(bytes)
}

function viewOf({ snapshot }: ReadOptions): TableView | undefined {
  return snapshot instanceof SimSnapshot ? snapshot.view : undefined
}

/** Positions [from, to) of a range. */
function positions(view: TableView, range: Range): [from: number, to: number] {
  const { gte, gt, lte, lt } = range
  const from = gte !== undefined ? view.rank(gte, false) : gt !== undefined ? view.rank(gt, true) : 0
  const to = lte !== undefined ? view.rank(lte, true) : lt !== undefined ? view.rank(lt, false) : view.size
  return [from, to]
}

function* keysIn(view: TableView, range: Range): Generator<Uint8Array> {
  const [from, to] = positions(view, range)
  const limit = range.limit === undefined || range.limit < 0 ? Number.POSITIVE_INFINITY : range.limit
  for (let count = 0; count < Math.min(limit, to - from); count += 1) {
    const row = view.row(range.reverse === true ? to - 1 - count : from + count)
    if (row !== undefined) yield row[0]
  }
}

/** Walks over a view; the base class counts towards the limit. */
class SimIterator extends AbstractIterator<SimLevel, Uint8Array, Uint8Array> {
  readonly #view: TableView
  readonly #from: number
  readonly #to: number
  readonly #reverse: boolean
  #at: number

  constructor(db: SimLevel, view: TableView, options: Range) {
    super(db, options)
    this.#view = view
    this.#reverse = options.reverse === true
    ;[this.#from, this.#to] = positions(view, options)
    this.#at = this.#reverse ? this.#to - 1 : this.#from
  }

  async _next(): Promise<[Uint8Array, Uint8Array] | undefined> {
    return this.#step()
  }

  async _nextv(size: number): Promise<[Uint8Array, Uint8Array][]> {
    const rows: [Uint8Array, Uint8Array][] = []
    for (let row = this.#step(); row !== undefined; row = this.#step()) {
      rows.push(row)
      if (rows.length >= size) break
    }
    return rows
  }

  _seek(target: Uint8Array): void {
    this.#at = this.#reverse ? Math.min(this.#view.rank(target, true), this.#to) - 1 : Math.max(this.#view.rank(target, false), this.#from)
  }

  #step(): [Uint8Array, Uint8Array] | undefined {
    if (this.#at < this.#from || this.#at >= this.#to) return undefined
    const row = this.#view.row(this.#at)
    this.#at += this.#reverse ? -1 : 1
    return row
  }
}
