import { parseArgs } from 'node:util'
import type { Client } from '@grpc/grpc-js'
import { ChaincodeSpec, ChaincodeSpec_Type, DevopsService, callUnary } from '../proto/index.js'
import { echoBaseline, startEcho, storeBaseline } from './baselines.js'
import { eventScenario } from './events.js'
import { invocation, invokeLoad, queryLoad, waitingLoad } from './load.js'
import { observabilityScenario } from './observability.js'
import { type BenchPeer, serveChaincode, startPeer } from './peer.js'
import { type Row, printRows } from './report.js'
import { restReads } from './rest.js'
import { simulator } from './sim.js'
import { resolve } from 'node:path'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '5' }, workers: { type: 'string', default: '64' }, json: { type: 'boolean', default: false } },
})
const seconds = Number(values.seconds)
const workers = Number(values.workers)
const SOURCE = 'examples/chaincode/example02.ts'
const MOVE = ['invoke', 'a', 'b', '1']
/** Between two invokes at the low rate. */
const PAUSE_MS = 10
const WARM_UP_CALLS = 5000
const WARM_UP_LIMIT_MS = 20_000

/** Measures something between two short runs of the echo, whose CPU a call is the unit of the machine at that moment. */
async function besideEcho<T>(callers: number, pauseMs: number, measure: () => Promise<T>): Promise<T & { readonly echoMicros: number }> {
  const slice = Math.min(pauseMs > 0 ? 2 : 1, seconds)
  const before = await echo.load(callers, slice, pauseMs)
  const measured = await measure()
  const after = await echo.load(callers, slice, pauseMs)
  return { ...measured, echoMicros: (before.cpuMicros + after.cpuMicros) / 2 }
}

/** Loads until the code that is measured is compiled: by number of calls, since on a slow or busy machine a time alone would be too short. */
async function warmUp(load: (sliceSeconds: number) => Promise<number>): Promise<void> {
  const end = performance.now() + WARM_UP_LIMIT_MS
  for (let calls = 0; calls < WARM_UP_CALLS && performance.now() < end; ) calls += await load(Math.min(1, seconds))
}

/** The invoke load after a warm-up, callers that wait for the outcome, then the latency at a low rate, against one chaincode. */
async function invokes(name: string, peer: BenchPeer, chaincode: string): Promise<Row[]> {
  const request = invocation(chaincode, MOVE)
  const { client, process } = peer
  await warmUp(async (slice) => (await invokeLoad(client, process, request, workers, slice)).submitted)
  const busy = await besideEcho(workers, 0, () => invokeLoad(client, process, request, workers, seconds))
  const waiting = await besideEcho(workers, 0, () => waitingLoad(client, process, request, workers, Math.min(3, seconds)))
  const calm = await besideEcho(1, PAUSE_MS, () => invokeLoad(client, process, request, 1, Math.min(3, seconds), PAUSE_MS))
  return [
    { ...figuresOf(busy), name: `${name}, ${workers} callers`, note: `${busy.committed} committed in ${busy.blocks} blocks` },
    { ...figuresOf(waiting), name: `${name}, ${workers} callers that wait`, note: `${waiting.calls} answered when committed` },
    { ...figuresOf(calm), name: `${name}, 1 caller, ${PAUSE_MS} ms apart`, note: `${calm.committed} committed in ${calm.blocks} blocks` },
  ]
}

function figuresOf({ perSecond, cpuMicros, echoMicros, p50Ms, p99Ms, peakMiB }: Omit<Row, 'name' | 'note'>): Omit<Row, 'name' | 'note'> {
  return { perSecond, cpuMicros, echoMicros, p50Ms, p99Ms, peakMiB }
}

async function inProcess(): Promise<Row[]> {
  const peer = await startPeer()
  try {
    const start: Row = {
      name: 'node start to first status',
      perSecond: undefined,
      cpuMicros: undefined,
      echoMicros: undefined,
      p50Ms: peer.firstStatusMs,
      p99Ms: undefined,
      peakMiB: undefined,
      note: 'time in the p50 column',
    }
    const rows = await invokes('invoke in process', peer, 'example02')
    const ask = () => queryLoad(peer.client, peer.process, invocation('example02', ['query', 'a']), workers, seconds)
    await ask()
    const query = await besideEcho(workers, 0, ask)
    return [start, ...rows, { ...figuresOf(query), name: `query in process, ${workers} callers`, note: `${query.calls} answers` }]
  } finally {
    await peer.stop()
  }
}

async function deployed(): Promise<Row[]> {
  const peer = await startPeer()
  try {
    const spec = ChaincodeSpec.fromPartial({
      type: ChaincodeSpec_Type.NODE,
      chaincodeID: { path: resolve(SOURCE) },
      ctorMsg: { args: ['init', 'a', '1000000', 'b', '1000000'].map((arg) => Buffer.from(arg)) },
    })
    const { chaincodeSpec } = await callUnary(peer.client, DevopsService.deploy, spec)
    const name = chaincodeSpec?.chaincodeID?.name ?? ''
    await untilAnswered(peer.client, name)
    return await invokes('invoke deployed TypeScript (pipe)', peer, name)
  } finally {
    await peer.stop()
  }
}

async function external(): Promise<Row[]> {
  const peer = await startPeer(['--peer-chaincodedev'])
  const chaincode = serveChaincode(SOURCE, 'mycc', peer.address)
  try {
    const spec = ChaincodeSpec.fromPartial({
      type: ChaincodeSpec_Type.GOLANG,
      chaincodeID: { name: 'mycc' },
      ctorMsg: { args: ['init', 'a', '1000000', 'b', '1000000'].map((arg) => Buffer.from(arg)) },
    })
    for (let attempt = 0; ; attempt += 1) {
      await callUnary(peer.client, DevopsService.deploy, spec)
      try {
        await untilAnswered(peer.client, 'mycc', 1000)
        break
      } catch (error) {
        if (attempt === 10) throw error
      }
    }
    return await invokes('invoke external v0.6 shim', peer, 'mycc')
  } finally {
    await chaincode.stop()
    await peer.stop()
  }
}

async function untilAnswered(client: Client, name: string, limitMs = 15_000): Promise<void> {
  const request = invocation(name, ['query', 'a'])
  const deadline = Date.now() + limitMs
  for (;;) {
    try {
      await callUnary(client, DevopsService.query, request)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}

async function rest(): Promise<Row[]> {
  const peer = await startPeer()
  try {
    return await restReads(peer, invocation('example02', MOVE), workers, seconds)
  } finally {
    await peer.stop()
  }
}

async function baselines(): Promise<Row[]> {
  return [...(await echoBaseline(echo, workers, seconds, PAUSE_MS)), ...(await storeBaseline(seconds))]
}

const scenarios: Readonly<Record<string, () => Promise<Row[]>>> = {
  baselines,
  'in-process': inProcess,
  deployed,
  external,
  rest,
  events: () => eventScenario(seconds),
  observability: () => observabilityScenario(seconds),
  sim: () => simulator(seconds),
}
const chosen = positionals.length > 0 ? positionals : Object.keys(scenarios)
const rows: Row[] = []
const echo = await startEcho(Buffer.from(invocation('example02', MOVE)))
await warmUp(async (slice) => (await echo.load(workers, slice)).calls)
for (const name of chosen) {
  const scenario = scenarios[name]
  if (scenario === undefined) throw new Error(`unknown scenario ${name}; known: ${Object.keys(scenarios).join(', ')}`)
  console.error(`running ${name} ...`)
  rows.push(...(await scenario()))
}
await echo.stop()
printRows(rows, values.json)
process.exit(0)
