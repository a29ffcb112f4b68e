import { setTimeout as sleep } from 'node:timers/promises'
import { ChaincodeInvocationSpec, encode } from '../../proto/index.js'
import type { InvokeConnection } from './unary-client.js'

/** Between two rounds of sending at a steady rate. */
const PACE_MS = 4
const DEFAULT_PAUSE_MS = 500
/** What has no outcome so long after the end of its load is given up, and counted as an error. */
const PATIENCE_MS = 60_000
const LONGEST_ERROR = 160

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
  /** Refusals with a retry hint; the caller came again when it said. */
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

  /** `connections`: to the peers, in turn. */
  constructor(
    private readonly connections: readonly Pick<InvokeConnection, 'invoke' | 'close'>[],
    /** Told the txid of each that was answered as committed. */
    private readonly acknowledged: (txid: string) => void = () => undefined,
  ) {}

  /** As many calls at a time, each followed by the next; one that is refused waits as long as it is told. */
  async closedLoop(inFlight: number, seconds: number): Promise<LoadResult> {
    const end = performance.now() + seconds * 1000
    const caller = async (): Promise<void> => {
      while (performance.now() < end) {
        const pauseMs = await this.call()
        if (pauseMs > 0) await sleep(Math.min(pauseMs, Math.max(0, end - performance.now())))
      }
    }
    const calls = Promise.all(Array.from({ length: inFlight }, caller))
    await sleep(seconds * 1000)
    return this.ended(calls, seconds)
  }

  /** At a steady rate, whatever the answers take. */
  async paced(perSecond: number, seconds: number): Promise<LoadResult> {
    const end = performance.now() + seconds * 1000
    return this.steady(perSecond, () => performance.now() >= end)
  }

  /** As `paced`, until told to end. */
  async steady(perSecond: number, isOver: () => boolean): Promise<LoadResult> {
    const began = performance.now()
    const calls = new Set<Promise<number>>()
    let elapsedMs = 0
    for (let sent = 0; !isOver(); elapsedMs = performance.now() - began) {
      for (; sent < (elapsedMs / 1000) * perSecond; sent++) {
        const call = this.call()
        calls.add(call)
        call.finally(() => calls.delete(call)).catch(() => undefined)
      }
      await sleep(PACE_MS)
    }
    return this.ended(Promise.all(calls), elapsedMs / 1000)
  }

  /** One transaction. Returns how long to wait before another one, in milliseconds. */
  private async call(): Promise<number> {
    const connection = this.connections[this.next++ % this.connections.length]
    if (connection === undefined) throw new Error('a load needs a connection')
    const sent = performance.now()
    const answer = await connection.invoke()
    if (answer.kind === 'committed') {
      this.latencies.push(performance.now() - sent)
      this.committed++
      this.acknowledged(answer.txid)
      return 0
    }
    if (answer.kind === 'refused') {
      this.refused++
      return answer.retryAfterMs ?? DEFAULT_PAUSE_MS
    }
    const text = (answer.kind === 'failed' ? answer.text : 'accepted, without an outcome').slice(0, LONGEST_ERROR)
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1)
    return DEFAULT_PAUSE_MS
  }

  /** Waits for what is on its way; what does not come is given up with its connection. */
  private async ended(calls: Promise<unknown>, seconds: number): Promise<LoadResult> {
    const inTime = this.committed
    const patience = new AbortController()
    const giveUp = async (): Promise<void> => {
      await sleep(PATIENCE_MS, undefined, { signal: patience.signal })
      for (const connection of this.connections) connection.close()
    }
    const givenUp = giveUp().catch(() => undefined)
    await calls
    patience.abort()
    await givenUp
    return this.result(inTime, seconds)
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
