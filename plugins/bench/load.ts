import { setTimeout as sleep } from 'node:timers/promises'
import { ChaincodeInvocationSpec, encode } from '../../proto/index.js'
import type { Answer, InvokeConnection } from './unary-client.js'

/** Between two rounds of sending at a steady rate. */
const PACE_MS = 4
const DEFAULT_PAUSE_MS = 500
/** What has no outcome so long after the end of its load is given up, and counted as an error. */
const PATIENCE_MS = 60_000
const LONGEST_ERROR = 160
/** What differs between two texts of one kind. */
const IDS = /[0-9a-f]{64}/g

/** What became of each transaction that was sent: `sent` is the sum of the others. */
export interface LoadCounts {
  readonly sent: number
  /** Answered as committed. */
  readonly committed: number
  /** Answered as executed without success: in no block. */
  readonly rejected: number
  /** Refused with a retry hint; the caller came again when it said. */
  readonly refused: number
  /** Without an answer that tells: these may be in a block, or not. */
  readonly unknown: number
}

/** Counts of nothing. */
export const NOTHING_SENT: LoadCounts = { sent: 0, committed: 0, rejected: 0, refused: 0, unknown: 0 }

/** Counts of two loads together. */
export function together(one: LoadCounts, other: LoadCounts): LoadCounts {
  return {
    sent: one.sent + other.sent,
    committed: one.committed + other.committed,
    rejected: one.rejected + other.rejected,
    refused: one.refused + other.refused,
    unknown: one.unknown + other.unknown,
  }
}

/** What a run of load gave; latencies in milliseconds, from the call to the answer that the transaction is in a block. */
export interface LoadResult extends LoadCounts {
  /** Of the committed, those answered before the load ended: the others waited for the rest of their way. */
  readonly inTime: number
  readonly seconds: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Texts of what was rejected, unsent or unknown. */
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
  private readonly counts = { ...NOTHING_SENT }
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
    if (answer.kind !== 'unsent') this.counts.sent++
    if (answer.kind === 'committed') {
      this.latencies.push(performance.now() - sent)
      this.counts.committed++
      this.acknowledged(answer.txid)
      return 0
    }
    if (answer.kind === 'refused') {
      this.counts.refused++
      return answer.retryAfterMs ?? DEFAULT_PAUSE_MS
    }
    if (answer.kind === 'rejected') this.counts.rejected++
    else if (answer.kind !== 'unsent') this.counts.unknown++
    const text = errorText(answer)
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1)
    return DEFAULT_PAUSE_MS
  }

  /** Waits for what is on its way; what does not come is given up with its connection. */
  private async ended(calls: Promise<unknown>, seconds: number): Promise<LoadResult> {
    const inTime = this.counts.committed
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
      ...this.counts,
      inTime,
      seconds,
      perSecond: inTime / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      errors: [...this.errors].map(([text, times]) => `${times} times: ${text}`),
    }
  }
}

/** The same of all that failed for the same reason. */
function errorText(answer: Exclude<Answer, { readonly kind: 'refused' }>): string {
  const text = 'text' in answer ? answer.text : 'accepted, without an outcome'
  return text.replaceAll(IDS, '…').slice(0, LONGEST_ERROR)
}
