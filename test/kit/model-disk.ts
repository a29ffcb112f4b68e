import type { EngineRequest } from '../../plugins/consensus/index.js'
import type { CrashKind, MemoryDiskOptions } from './memory-disk.js'
import type { ModelBlock, ModelTransaction } from './model-chain.js'
import type { Random } from './random.js'
import type { DiskFault } from './sim-disk.js'
import { Happening, type VirtualTime } from './virtual-clock.js'

/** Where a transaction is in a chain: the last place, if it is there twice. */
export interface ModelPlace {
  readonly block: bigint
  readonly index: number
}

/** What a disk holds: the chain, the engine's records, and the journal of requests that were accepted and are in no block. */
export class ModelImage {
  readonly records = new Map<string, Uint8Array>()
  readonly journal = new Map<ModelTransaction, EngineRequest>()
  readonly places = new Map<ModelTransaction, ModelPlace>()
  readonly blocks: ModelBlock[]

  constructor(genesis: ModelBlock) {
    this.blocks = [genesis]
  }

  get head(): ModelBlock {
    const head = this.blocks.at(-1)
    if (head === undefined) throw new RangeError('expected a chain with a first block')
    return head
  }

  append(block: ModelBlock): void {
    this.blocks.push(block)
    let index = 0
    for (const transaction of block.transactions) this.places.set(transaction, { block: block.number, index: index++ })
  }
}

/** Not frozen: V8 walks frozen arrays the slow way. */
const NONE: readonly never[] = []

/** One write: all of it or nothing becomes durable. */
export interface ModelWrite {
  /** Of an engine; undefined deletes. */
  readonly records: readonly (readonly [key: string, value: Uint8Array | undefined])[]
  readonly accepted: readonly (readonly [ModelTransaction, EngineRequest])[]
  /** Requests that leave the journal. */
  readonly over: readonly ModelTransaction[]
  readonly blocks: readonly ModelBlock[]
  /** It is durable, and the process that asked for it lives. */
  readonly done: () => void
}

/** A write of what is named. All writes have one shape. */
export function modelWrite(
  done: () => void,
  { records = NONE, accepted = NONE, over = NONE, blocks = NONE }: { readonly [Part in keyof Omit<ModelWrite, 'done'>]?: ModelWrite[Part] | undefined },
): ModelWrite {
  return { records, accepted, over, blocks, done }
}

/** A group of writes has become durable, unless the process has ended. */
class Written extends Happening {
  constructor(
    private readonly process: number,
    private readonly complete: (process: number) => void,
  ) {
    super()
  }

  happen(): void {
    this.complete(this.process)
  }
}

/**
 * The disk below the model of a host, with the rules of the simulated store: writes are synced and take virtual time, those that wait together are written together, in
 * order; a power cut leaves a random prefix of what nobody has been told of.
 */
export class ModelDisk {
  slowMs = 0
  writes = 0
  onWrite: (() => void) | undefined
  image: ModelImage
  #waiting: ModelWrite[] = []
  #writing: ModelWrite[] = []
  #isWriting = false
  #planned: { readonly fault: DiskFault; left: number } | undefined
  #failed = false
  /** Counts processes: what one asked for is nobody's affair after its end. */
  #process = 0
  /** Told when a write has failed: the process has to end. */
  onFailure: (() => void) | undefined

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly options: MemoryDiskOptions,
    private readonly genesis: ModelBlock,
  ) {
    this.image = new ModelImage(genesis)
  }

  get hasFailed(): boolean {
    return this.#failed
  }

  /** Nothing waits to be written. */
  get isIdle(): boolean {
    return !this.#isWriting && this.#waiting.length === 0
  }

  failNextWrite(fault: DiskFault | undefined, afterWrites = 0): void {
    this.#planned = fault && { fault, left: afterWrites }
  }

  wipe(): void {
    this.image = new ModelImage(this.genesis)
  }

  /** How long the next access takes. */
  accessMs(): number {
    return this.slowMs + this.random.between(this.options.minWriteMs, this.options.maxWriteMs)
  }

  write(write: ModelWrite): void {
    if (this.#failed) return
    if (this.#waiting.length === 0) this.#waiting = [write]
    else this.#waiting.push(write)
    if (!this.#isWriting) this.#writeGroup()
  }

  /** The process ends. `kill`: what the system was given stays. */
  crash(kind: CrashKind): void {
    const inFlight = [...this.#writing, ...this.#waiting]
    const survivors = kind === 'kill' && !this.#failed ? inFlight.length : this.random.below(inFlight.length + 1)
    for (const write of inFlight.slice(0, survivors)) this.#apply(write)
    this.#process += 1
    this.#writing = []
    this.#waiting = []
    this.#isWriting = false
    this.#failed = false
  }

  #writeGroup(): void {
    this.#writing = this.#waiting
    this.#waiting = []
    this.#isWriting = true
    this.time.add(this.time.nowMs + this.accessMs(), new Written(this.#process, this.#complete))
  }

  readonly #complete = (process: number): void => {
    if (process !== this.#process) return
    const group = this.#writing
    const fault = this.#nextFault()
    if (fault) return this.#fail(fault)
    for (const write of group) this.#apply(write)
    this.#writing = []
    this.writes += 1
    this.onWrite?.()
    // `onWrite` may have ended the process, and so may what is told.
    for (const write of group) {
      if (process !== this.#process) return
      write.done()
    }
    if (process !== this.#process) return
    if (this.#waiting.length > 0) this.#writeGroup()
    else this.#isWriting = false
  }

  #nextFault(): DiskFault | undefined {
    const planned = this.#planned
    if (planned === undefined || planned.left-- > 0) return undefined
    this.#planned = undefined
    return planned.fault
  }

  /** After EIO what was being written may be on the disk: the crash that follows decides. */
  #fail(fault: DiskFault): void {
    this.#failed = true
    this.#waiting = []
    if (fault !== 'EIO') this.#writing = []
    this.onFailure?.()
  }

  #apply({ records, accepted, over, blocks }: ModelWrite): void {
    const { image } = this
    for (const record of records) {
      const value = record[1]
      if (value === undefined) image.records.delete(record[0])
      else image.records.set(record[0], value)
    }
    for (const entry of accepted) image.journal.set(entry[0], entry[1])
    for (const transaction of over) image.journal.delete(transaction)
    for (const block of blocks) image.append(block)
  }
}
