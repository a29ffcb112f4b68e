import { type Client, Metadata } from '@grpc/grpc-js'
import { setTimeout as sleep } from 'node:timers/promises'
import { callUnary, ChaincodeInvocationSpec, DevopsService, encode } from '../../proto/index.js'
import { isRpcError, rpcErrorText } from '../grpc/index.js'

const RESOURCE_EXHAUSTED = 8
/** Between two rounds of sending at a steady rate. */
const PACE_MS = 4
const DEFAULT_PAUSE_MS = 500
/** A call that has no outcome after this is counted as an error. */
const CALL_LIMIT_MS = 60_000

/** What a run of load gave; latencies in milliseconds, from the call to the answer that the transaction is in a block. */
export interface LoadResult {
  /** Transactions that were answered as committed. */
  readonly committed: number
  /** Of them, those answered before the load ended: the others waited for the rest of their way. */
  readonly inTime: number
  readonly seconds: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Refusals with a retry hint; the caller came again later. */
  readonly refused: number
  readonly errors: readonly string[]
}

/** An invocation of example02, which is sent again and again: its id is the peer's. */
export function invocation(chaincode: string, args: readonly string[]): Uint8Array {
  const chaincodeSpec = { type: 1, chaincodeID: { name: chaincode }, ctorMsg: { args: args.map((arg) => Buffer.from(arg)) } }
  return encode(ChaincodeInvocationSpec, ChaincodeInvocationSpec.fromPartial({ chaincodeSpec }))
}

/** Sends transactions to several peers in turn, and counts what is answered. */
export class Load {
  private readonly latencies: number[] = []
  private readonly errors = new Map<string, number>()
  private committed = 0
  private refused = 0
  private next = 0

  /** `clients`: connections to the peers, in turn. */
  constructor(
    private readonly clients: readonly Client[],
    private readonly request: Uint8Array,
  ) {}

  /** As many calls at a time, each followed by the next; one that is refused waits as long as it is told. */
  async closedLoop(inFlight: number, seconds: number): Promise<LoadResult> {
    const began = performance.now()
    const end = began + seconds * 1000
    const caller = async (): Promise<void> => {
      while (performance.now() < end) {
        const pauseMs = await this.call()
        if (pauseMs > 0) await sleep(Math.min(pauseMs, Math.max(0, end - performance.now())))
      }
    }
    const calls = Promise.all(Array.from({ length: inFlight }, caller))
    await sleep(seconds * 1000)
    const inTime = this.committed
    await calls
    return this.result(inTime, seconds)
  }

  /** At a steady rate, whatever the answers take. */
  async paced(perSecond: number, seconds: number): Promise<LoadResult> {
    const began = performance.now()
    const calls: Promise<number>[] = []
    for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - began) {
      while (calls.length < (elapsedMs / 1000) * perSecond) calls.push(this.call())
      await sleep(PACE_MS)
    }
    const inTime = this.committed
    await Promise.all(calls)
    return this.result(inTime, seconds)
  }

  /** One transaction. Returns how long to wait before another one, in milliseconds. */
  private async call(): Promise<number> {
    const client = this.clients[this.next++ % this.clients.length]
    if (client === undefined) throw new Error('a load needs a client')
    const metadata = new Metadata()
    metadata.set('weft-wait', 'outcome')
    const sent = performance.now()
    try {
      await callUnary(client, DevopsService.invoke, this.request, { metadata, deadline: Date.now() + CALL_LIMIT_MS })
      this.latencies.push(performance.now() - sent)
      this.committed++
      return 0
    } catch (error) {
      return this.failed(error)
    }
  }

  private failed(error: unknown): number {
    if (isRpcError(error) && error.code === RESOURCE_EXHAUSTED) {
      this.refused++
      return pushbackMs(error) ?? DEFAULT_PAUSE_MS
    }
    const text = rpcErrorText(error).slice(0, 160)
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1)
    return DEFAULT_PAUSE_MS
  }

  private result(inTime: number, seconds: number): LoadResult {
    const sorted = this.latencies.sort((left, right) => left - right)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    return {
      committed: this.committed,
      inTime,
      seconds,
      perSecond: inTime / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      refused: this.refused,
      errors: [...this.errors].map(([text, times]) => `${times} times: ${text}`),
    }
  }
}

/** The delay that a refusal asks for, as gRPC's clients read it. */
function pushbackMs(error: Error): number | undefined {
  const metadata = 'metadata' in error ? error.metadata : undefined
  const [value] = metadata instanceof Metadata ? metadata.get('grpc-retry-pushback-ms') : []
  const ms = Number(value)
  return value !== undefined && Number.isFinite(ms) ? ms : undefined
}
