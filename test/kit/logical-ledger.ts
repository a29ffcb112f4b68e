import type { Clock } from '../../kernel/index.js'
import { Block, type BlockchainInfo, blockTransactions, decode, encodeBlock } from '../../proto/index.js'
import {
  blockHash,
  type CommittedBlock,
  type CommittedState,
  type ExecutedTransaction,
  type Ledger,
  type LedgerBatch,
  type StateEntry,
  type StateKey,
  type TransactionLocation,
  type TransactionState,
  type VerifyReport,
} from '../../plugins/ledger/index.js'
import { MessageWriter, readMessage } from '../../plugins/consensus/index.js'
import type { Namespace, Store, StoreBatch } from '../../plugins/level/index.js'
import { fromLatin1, latin1 } from './latin1.js'
import { quickHash } from './quick-hash.js'
import type { StateLie } from './state-lie.js'

const EMPTY: Uint8Array = new Uint8Array()

/** Values by latin1 of chaincode, zero byte and key; undefined deletes. */
type Writes = ReadonlyMap<string, Uint8Array | undefined>

/** A block and what it did to the state. */
interface Step {
  readonly bytes: Uint8Array
  readonly writes: Writes
  /** Of its transactions, in order. */
  readonly txids: readonly string[]
  readonly stateHash: Uint8Array
  readonly hash: Uint8Array
}

/** A ledger for fast simulations: real blocks and hashes, but the state hash is a hash chain over the writes and everything is held in memory. */
export interface LogicalLedger extends Ledger {
  /**
   * Appends blocks of a longer chain, with their changes, up to `height`: what state transfer does. Resolves false, and appends nothing, if the changes do not give the
   * state that the blocks name. `lie`: the other one puts this into the last of them.
   */
  copyFrom(other: LogicalLedger, height: bigint, lie?: StateLie): Promise<boolean>
  /** For `copyFrom`. */
  readonly steps: readonly Step[]
}

/** Opens the ledger that `store` holds; an empty one gets a genesis block. */
export async function openLogicalLedger(store: Store, clock: Pick<Clock, 'now'>): Promise<LogicalLedger> {
  const steps: Step[] = []
  for await (const [, row] of store.namespace('logical-ledger').entries()) steps.push(decodeStep(row))
  const ledger = new InMemoryLedger(store, clock, steps)
  if (steps.length === 0) await ledger.openBatch().commit([], undefined)
  return ledger
}

class InMemoryLedger implements LogicalLedger {
  readonly committed: CommittedState
  readonly steps: Step[] = []
  readonly #rows: Namespace
  readonly #state = new Map<string, Uint8Array>()
  readonly #listeners = new Set<(block: CommittedBlock) => void>()
  readonly #locations = new Map<string, TransactionLocation>()
  /** Of transactions whose txid a later one has, by latin1 of their bytes. */
  readonly #superseded = new Map<string, TransactionLocation>()
  #head = EMPTY
  #previous = EMPTY
  #stateHash: Uint8Array | undefined
  #isOpen = false

  constructor(
    private readonly store: Store,
    private readonly clock: Pick<Clock, 'now'>,
    steps: readonly Step[],
  ) {
    this.#rows = store.namespace('logical-ledger')
    this.committed = { get: (chaincode, key) => this.#state.get(idOf(chaincode, key)), range: () => noEntries() }
    for (const step of steps) this.#advance(step)
  }

  info(): BlockchainInfo {
    return { height: this.height(), currentBlockHash: this.#head, previousBlockHash: this.#previous }
  }

  height(): bigint {
    return BigInt(this.steps.length)
  }

  openBatch(): LedgerBatch {
    if (this.#isOpen) throw new Error('a batch is open')
    this.#isOpen = true
    const writes = new Map<string, Uint8Array | undefined>()
    return {
      begin: () => this.#begin(writes),
      stateHash: () => Promise.resolve(this.#hashAfter(writes)),
      preview: (executed, metadata) => {
        const bytes = this.#build(executed, metadata, this.#hashAfter(writes))
        return Promise.resolve({ height: this.height() + 1n, currentBlockHash: blockHash(bytes), previousBlockHash: this.#head })
      },
      commit: async (executed, metadata, also) => {
        const stateHash = this.#hashAfter(writes)
        const bytes = this.#build(executed, metadata, stateHash)
        const txids = executed.flatMap(({ result: { txid, error } }) => (error === undefined ? [txid] : []))
        const step: Step = { bytes, writes, txids, stateHash: stateHash ?? EMPTY, hash: blockHash(bytes) }
        await this.#write([step], also)
        this.#isOpen = false
        return this.#announce({ number: this.height() - 1n, bytes, info: this.info(), executed })
      },
      rollback: () => {
        this.#isOpen = false
      },
    }
  }

  view(): CommittedState & { release(): Promise<void> } {
    return { ...this.committed, release: () => Promise.resolve() }
  }

  blockBytes(number: bigint): Uint8Array | undefined {
    return this.steps[Number(number)]?.bytes
  }

  block(number: bigint): Block | undefined {
    const bytes = this.blockBytes(number)
    return bytes && decode(Block, bytes)
  }

  blockByHash(hash: Uint8Array): Block {
    const step = this.steps.find((each) => Buffer.compare(each.hash, hash) === 0)
    if (!step) throw new Error('no block has this hash')
    return decode(Block, step.bytes)
  }

  transactionBytes(txid: string): Uint8Array | undefined {
    return this.#transactionAt(this.#locations.get(txid))
  }

  locateBytes(txid: string, bytes: Uint8Array): TransactionLocation | undefined {
    const latest = this.#locations.get(txid)
    if (!latest) return undefined
    return Buffer.compare(this.#transactionAt(latest) ?? EMPTY, bytes) === 0 ? latest : this.#superseded.get(latin1(bytes))
  }

  deployBytes(name: string): Uint8Array | undefined {
    return this.transactionBytes(name)
  }

  locate(txid: string): TransactionLocation | undefined {
    return this.#locations.get(txid)
  }

  stateDelta(): Uint8Array | undefined {
    return undefined
  }

  stateHash(): Uint8Array | undefined {
    return this.#stateHash
  }

  onCommit(listener: (block: CommittedBlock) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  verify(): Promise<VerifyReport> {
    const faults: { where: string; what: string }[] = []
    let previous: Uint8Array = EMPTY
    this.steps.forEach(({ bytes, hash }, index) => {
      const found = decode(Block, bytes).previousBlockHash
      if (Buffer.compare(found, previous) !== 0) faults.push({ where: `block ${index}`, what: 'its previous hash is not the hash of the block before' })
      previous = hash
    })
    return Promise.resolve({ height: this.height(), blocksChecked: this.height(), keysChecked: 0n, faults })
  }

  async copyFrom(other: LogicalLedger, height: bigint, lie?: StateLie): Promise<boolean> {
    const first = this.steps.length
    const given = other.steps.slice(first, Number(height))
    const last = given.pop()
    const added = last ? [...given, lie ? withLie(last, lie) : last] : []
    if (!this.#isStateOf(added)) return false
    await this.#write(added)
    added.forEach(({ bytes }, offset) => this.#announce({ number: BigInt(first + offset), bytes, info: this.info(), executed: [] }))
    return true
  }

  /** Whether changes give the states that their blocks name. */
  #isStateOf(steps: readonly Step[]): boolean {
    let before = this.#stateHash
    for (const { bytes, writes } of steps) {
      before = hashAfter(before, writes)
      if (Buffer.compare(before ?? EMPTY, decode(Block, bytes).stateHash) !== 0) return false
    }
    return true
  }

  #transactionAt(location: TransactionLocation | undefined): Uint8Array | undefined {
    const bytes = location && this.blockBytes(location.block)
    return bytes && blockTransactions(bytes)[location.index]
  }

  #begin(batch: Map<string, Uint8Array | undefined>): TransactionState {
    const own = new Map<string, Uint8Array | undefined>()
    return {
      get: (chaincode, key) => {
        const id = idOf(chaincode, key)
        const layer = own.has(id) ? own : batch.has(id) ? batch : this.#state
        return layer.get(id)
      },
      put: (chaincode, key, value) => void own.set(idOf(chaincode, key), value),
      delete: (chaincode, key) => void own.set(idOf(chaincode, key), undefined),
      range: () => noEntries(),
      finish: (succeeded) => {
        if (succeeded) for (const [id, value] of own) batch.set(id, value)
      },
    }
  }

  #hashAfter(writes: Writes): Uint8Array | undefined {
    return hashAfter(this.#stateHash, writes)
  }

  #build(executed: readonly ExecutedTransaction[], metadata: Uint8Array | undefined, stateHash: Uint8Array | undefined): Uint8Array {
    const header = {
      version: 0,
      timestamp: undefined,
      stateHash: stateHash ?? EMPTY,
      previousBlockHash: this.#head,
      consensusMetadata: metadata ?? EMPTY,
      nonHashData: { localLedgerCommitTimestamp: this.clock.now(), chaincodeEvents: [] },
    }
    return encodeBlock(
      header,
      executed.filter(({ result }) => result.error === undefined).map(({ bytes }) => bytes),
    )
  }

  async #write(steps: readonly Step[], also?: (batch: StoreBatch) => void): Promise<void> {
    const batch = this.store.batch()
    steps.forEach((step, offset) => batch.put(this.#rows, numberKey(this.steps.length + offset), encodeStep(step)))
    also?.(batch)
    await this.store.commit(batch, 'block')
    for (const step of steps) this.#advance(step)
  }

  #advance(step: Step): void {
    for (const [id, value] of step.writes) {
      if (value === undefined) this.#state.delete(id)
      else this.#state.set(id, value)
    }
    const { txids, stateHash, hash } = step
    const block = this.height()
    this.steps.push(step)
    for (const [index, txid] of txids.entries()) {
      const before = this.#locations.get(txid)
      if (before) this.#superseded.set(latin1(this.#transactionAt(before) ?? EMPTY), before)
      this.#locations.set(txid, { block, index })
    }
    this.#previous = this.#head
    this.#head = hash
    this.#stateHash = stateHash.length === 0 ? undefined : stateHash
  }

  #announce(block: CommittedBlock): CommittedBlock {
    for (const listener of this.#listeners) listener(block)
    return block
  }
}

function hashAfter(before: Uint8Array | undefined, writes: Writes): Uint8Array | undefined {
  if (writes.size === 0) return before
  const pieces: (Uint8Array | string)[] = [before ?? EMPTY]
  for (const [id, value] of writes) pieces.push(id, value ?? EMPTY)
  return quickHash(...pieces)
}

function withLie(step: Step, { chaincode, key, value }: StateLie): Step {
  return { ...step, writes: new Map([...step.writes, [idOf(Buffer.from(chaincode), Buffer.from(key)), value]]) }
}

function idOf(chaincode: StateKey, key: StateKey): string {
  return `${latin1(chaincode)}\0${latin1(key)}`
}

function numberKey(number: number): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(number))
  return key
}

function encodeStep({ bytes, writes }: Step): Uint8Array {
  const writer = new MessageWriter().bytes(bytes)
  writer.list([...writes], ([id, value]) => writer.bytes(fromLatin1(id)).list(value === undefined ? [] : [value], (found) => writer.bytes(found)))
  return writer.end()
}

function decodeStep(row: Uint8Array): Step {
  const read = readMessage(row, (reader) => ({
    bytes: reader.bytes(),
    writes: reader.list(() => [latin1(reader.bytes()), reader.list(() => reader.bytes())[0]] as const),
  }))
  if (!read) throw new Error('expected a row of the logical ledger')
  const { transactions, stateHash } = decode(Block, read.bytes)
  return { bytes: read.bytes, writes: new Map(read.writes), txids: transactions.map(({ txid }) => txid), stateHash, hash: blockHash(read.bytes) }
}

async function* noEntries(): AsyncGenerator<StateEntry> {
  // The simulated executor asks for no ranges.
}
