import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { ChaincodeInvocationSpec, DevopsService, callUnary, encode } from '../proto/index.js'
import { block, height } from './peer.js'
import type { MeasuredProcess } from './measured-process.js'

/** Between two rounds of sending at a steady rate. */
const PACE_MS = 5

/** What one run of load gave. Latencies are from sending the request to the block's own commit time. */
export interface LoadResult {
  readonly submitted: number
  readonly committed: number
  readonly seconds: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicros: number
  readonly peakMiB: number
  readonly blocks: number
}

export function invocation(name: string, args: readonly string[]): Uint8Array {
  const chaincodeSpec = { type: 1, chaincodeID: { name }, ctorMsg: { args: args.map((arg) => Buffer.from(arg)) } }
  return encode(ChaincodeInvocationSpec, ChaincodeInvocationSpec.fromPartial({ chaincodeSpec }))
}

/** Sends an invocation until it is accepted, as late as refusals say; returns its txid. */
async function invoke(client: Client, request: Uint8Array): Promise<string> {
  for (;;) {
    try {
      return Buffer.from((await callUnary(client, DevopsService.invoke, request)).msg).toString()
    } catch (error) {
      const pauseMs = pushbackMs(error)
      if (pauseMs === undefined) throw error
      await new Promise((done) => setTimeout(done, pauseMs))
    }
  }
}

/** How long a refusal for want of room asks to wait; undefined: the error is another one. */
function pushbackMs(error: unknown): number | undefined {
  if (!isServiceError(error) || error.code !== status.RESOURCE_EXHAUSTED) return undefined
  const [value] = error.metadata.get('grpc-retry-pushback-ms')
  return value === undefined ? undefined : Number(value)
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error
}

/** Invokes from `workers` callers for `seconds`, then waits until everything accepted is in blocks; counts what blocks hold. */
export async function invokeLoad(
  client: Client,
  peer: MeasuredProcess,
  request: Uint8Array,
  workers: number,
  seconds: number,
  pauseMs = 0,
): Promise<LoadResult> {
  const sentAt = new Map<string, number>()
  const firstBlock = await height(client)
  const cpuBefore = peer.cpuMicros()
  const started = performance.now()
  const end = started + seconds * 1000
  let submitted = 0
  const worker = async () => {
    while (performance.now() < end) {
      const sent = Date.now()
      sentAt.set(await invoke(client, request), sent)
      submitted += 1
      if (pauseMs > 0) await new Promise((done) => setTimeout(done, pauseMs))
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
  const { latencies, lastCommit, blocks, cpuAfter } = await awaitBlocks(client, peer, sentAt, firstBlock)
  const elapsed = (lastCommit - (performance.timeOrigin + started)) / 1000
  return {
    submitted,
    committed: latencies.length,
    seconds: elapsed,
    perSecond: latencies.length / elapsed,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMicros: (cpuAfter - cpuBefore) / latencies.length,
    peakMiB: peer.peakMiB(),
    blocks,
  }
}

async function awaitBlocks(client: Client, peer: MeasuredProcess, sentAt: ReadonlyMap<string, number>, firstBlock: bigint) {
  const latencies: number[] = []
  let lastCommit = 0
  let next = firstBlock
  let blocks = 0
  let cpuAfter = 0
  const deadline = Date.now() + 60_000
  // The height stands still once everything accepted is committed; only then are blocks fetched, so that reading them is not part of the measured CPU.
  for (let last = -1n, now = await height(client); last !== now; ) {
    last = now
    cpuAfter = peer.cpuMicros()
    await new Promise((done) => setTimeout(done, 150))
    now = await height(client)
  }
  while (latencies.length < sentAt.size) {
    if (Date.now() > deadline) throw new Error(`only ${latencies.length} of ${sentAt.size} accepted transactions were committed within a minute`)
    if (next >= (await height(client))) {
      await new Promise((done) => setTimeout(done, 20))
      cpuAfter = peer.cpuMicros()
      continue
    }
    const { transactions, nonHashData } = await block(client, next)
    const time = nonHashData?.localLedgerCommitTimestamp
    const committedAt = Number(time?.seconds ?? 0n) * 1000 + (time?.nanos ?? 0) / 1e6
    for (const { txid } of transactions) {
      const sent = sentAt.get(txid)
      if (sent === undefined) continue
      latencies.push(Math.max(0, committedAt - sent))
      lastCommit = Math.max(lastCommit, committedAt)
    }
    next += 1n
    blocks += 1
  }
  return { latencies, lastCommit, blocks, cpuAfter }
}

/** Invokes at a steady rate, whatever the answers take, for `seconds`; then waits until everything accepted is in blocks. CPU is that of the peer. */
export async function pacedLoad(
  client: Client,
  peer: MeasuredProcess,
  request: Uint8Array,
  perSecond: number,
  seconds: number,
): Promise<{ readonly committed: number; readonly blocks: number; readonly cpuMicros: number; readonly perSecond: number; readonly peakMiB: number }> {
  const sentAt = new Map<string, number>()
  const firstBlock = await height(client)
  const cpuBefore = peer.cpuMicros()
  const started = performance.now()
  const calls: Promise<void>[] = []
  const invokeOnce = async () => {
    const sent = Date.now()
    sentAt.set(await invoke(client, request), sent)
  }
  for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - started) {
    while (calls.length < (elapsedMs / 1000) * perSecond) calls.push(invokeOnce())
    await new Promise((done) => setTimeout(done, PACE_MS))
  }
  await Promise.all(calls)
  const { latencies, lastCommit, blocks, cpuAfter } = await awaitBlocks(client, peer, sentAt, firstBlock)
  const committed = latencies.length
  const elapsed = (lastCommit - (performance.timeOrigin + started)) / 1000
  return { committed, blocks, cpuMicros: (cpuAfter - cpuBefore) / committed, perSecond: committed / elapsed, peakMiB: peer.peakMiB() }
}

/** Queries from `workers` callers for `seconds`. */
export function queryLoad(client: Client, peer: MeasuredProcess, request: Uint8Array, workers: number, seconds: number): Promise<CallLoad> {
  return callLoad(peer, workers, seconds, () => callUnary(client, DevopsService.query, request))
}

/** Invokes that are answered when they are committed (`weft-wait`): no more are on their way than there are callers, so latency is that of this load and not of a queue. */
export function waitingLoad(client: Client, peer: MeasuredProcess, request: Uint8Array, workers: number, seconds: number): Promise<CallLoad> {
  return callLoad(peer, workers, seconds, () => {
    const metadata = new Metadata()
    metadata.set('weft-wait', 'outcome')
    return callUnary(client, DevopsService.invoke, request, { metadata })
  })
}

/** What calls gave that are over when they are answered. */
export interface CallLoad {
  readonly calls: number
  readonly perSecond: number
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly peakMiB: number
}

/** Calls from `workers` callers for `seconds`; CPU is that of the process asked. */
export async function callLoad(server: MeasuredProcess, workers: number, seconds: number, call: () => Promise<unknown>, pauseMs = 0): Promise<CallLoad> {
  const cpuBefore = server.cpuMicros()
  const started = performance.now()
  const end = started + seconds * 1000
  const latencies: number[] = []
  const worker = async () => {
    for (let sent = performance.now(); sent < end; sent = performance.now()) {
      await call()
      latencies.push(performance.now() - sent)
      if (pauseMs > 0) await new Promise((done) => setTimeout(done, pauseMs))
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
  const elapsed = (performance.now() - started) / 1000
  const calls = latencies.length
  return {
    calls,
    perSecond: calls / elapsed,
    cpuMicros: (server.cpuMicros() - cpuBefore) / calls,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    peakMiB: server.peakMiB(),
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
