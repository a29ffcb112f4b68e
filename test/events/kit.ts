import type { Clock, Logger } from '../../kernel/index.js'
import { Block, ChaincodeEvent, Transaction, Transaction_Type, encode } from '../../proto/index.js'
import type { CommittedBlock, ExecutedTransaction } from '../../plugins/ledger/index.js'
import type { Outlet } from '../../plugins/events/consumer.js'
import { EventHub, type HubLimits, type HubParts } from '../../plugins/events/hub.js'

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  nowMs = 0
  private timers: { readonly atMs: number; readonly task: () => void }[] = []

  now() {
    return { seconds: BigInt(Math.floor(this.nowMs / 1000)), nanos: 0 }
  }

  elapsedMs(): number {
    return this.nowMs
  }

  setTimer(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, task }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((other) => other !== timer)
    }
  }

  advance(ms: number): void {
    this.nowMs += ms
    const due = this.timers.filter(({ atMs }) => atMs <= this.nowMs)
    this.timers = this.timers.filter(({ atMs }) => atMs > this.nowMs)
    for (const { task } of due) task()
  }
}

const invoke = (txid: string): Uint8Array => encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid }))

/** A transaction as the ledger tells of it: `error` of a rejected one, `event` with chaincode and name. */
export function executed(txid: string, { error, event }: { readonly error?: string; readonly event?: readonly [string, string] } = {}): ExecutedTransaction {
  const given = event && { event: ChaincodeEvent.fromPartial({ chaincodeID: event[0], eventName: event[1], txID: txid, payload: Buffer.from(txid) }) }
  return { bytes: invoke(txid), result: { txid, ...(error === undefined ? {} : { error }), ...given } }
}

export function blockBytes(transactions: readonly ExecutedTransaction[], filler = 0): Uint8Array {
  return encode(
    Block,
    Block.fromPartial({
      transactions: transactions
        .filter(({ result }) => result.error === undefined)
        .map(({ result }) => ({ type: Transaction_Type.CHAINCODE_INVOKE, txid: result.txid })),
      consensusMetadata: Buffer.alloc(filler, 1),
      nonHashData: { chaincodeEvents: transactions.map(({ result }) => result.event ?? {}) },
    }),
  )
}

/** A chain that a test makes block by block. */
export class FakeChain {
  readonly blocks = new Map<bigint, Uint8Array>()
  reads = 0
  private readonly listeners = new Set<(block: CommittedBlock) => void>()

  height(): bigint {
    let height = 0n
    for (const number of this.blocks.keys()) if (number >= height) height = number + 1n
    return height
  }

  blockBytes(number: bigint): Uint8Array | undefined {
    this.reads++
    return this.blocks.get(number)
  }

  onCommit(listener: (block: CommittedBlock) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  commit(transactions: readonly ExecutedTransaction[] = [], filler = 0): bigint {
    const number = this.height()
    this.store(number, blockBytes(transactions, filler), transactions)
    return number
  }

  /** As a state transfer writes it, in any order. */
  store(number: bigint, bytes: Uint8Array, transactions: readonly ExecutedTransaction[] = []): void {
    this.blocks.set(number, bytes)
    const info = { height: this.height(), currentBlockHash: new Uint8Array(0), previousBlockHash: new Uint8Array(0) }
    for (const listener of this.listeners) listener({ number, bytes, info, executed: transactions })
  }
}

/** A consumer's connection. Takes everything at once, or only when told to. */
export class TestOutlet implements Outlet {
  readonly remote = 'test'
  readonly got: Uint8Array[] = []
  failure: string | undefined
  isCut = false
  private untaken: (() => void)[] = []

  constructor(public reads = true) {}

  write(bytes: Uint8Array, sent: () => void): void {
    this.got.push(bytes)
    if (this.reads) setImmediate(sent)
    else this.untaken.push(sent)
  }

  fail(reason: Error): void {
    this.failure = reason.message
  }

  cut(): void {
    this.isCut = true
  }

  /** Reads on. */
  resume(): void {
    this.reads = true
    for (const sent of this.untaken.splice(0)) sent()
  }
}

export const LIMITS: HubLimits = { bufferBlocks: 10, timeoutMs: 10, bufferBytes: 10_000_000, maxConsumers: 1000 }

export function newHub(limits: Partial<HubLimits> = {}, chain = new FakeChain()) {
  const clock = new ManualClock()
  const lines: string[] = []
  const parts: HubParts = { ledger: chain, limits: { ...LIMITS, ...limits }, clock, log: quiet(lines) }
  const hub = new EventHub(parts)
  hub.open()
  return { hub, chain, clock, lines }
}

/** Lets everything that is scheduled happen. */
export async function settled(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function quiet(lines: string[]): Logger {
  const write = (message: string) => void lines.push(message)
  const log: Logger = {
    module: 'events',
    critical: write,
    error: write,
    warning: write,
    notice: write,
    info: write,
    debug: () => undefined,
    isEnabled: () => false,
    in: () => log,
  }
  return log
}
