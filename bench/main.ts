import { parseArgs } from 'node:util'
import type { Client } from '@grpc/grpc-js'
import { ChaincodeSpec, ChaincodeSpec_Type, DevopsService, callUnary } from '../proto/index.js'
import { echoBaseline, storeBaseline } from './baselines.js'
import { invocation, invokeLoad, queryLoad } from './load.js'
import { freePort } from './measured-process.js'
import { type BenchPeer, newClient, serveChaincode, startPeer } from './peer.js'
import { type Row, printRows } from './report.js'
import { resolve } from 'node:path'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '5' }, workers: { type: 'string', default: '64' }, json: { type: 'boolean', default: false } },
})
const seconds = Number(values.seconds)
const workers = Number(values.workers)
const SOURCE = 'examples/chaincode/example02.ts'
const MOVE = ['invoke', 'a', 'b', '1']

/** Runs the invoke load after a warm-up, then the low-load latency, against one chaincode. */
async function invokes(name: string, peer: BenchPeer, chaincode: string): Promise<Row[]> {
  const request = invocation(chaincode, MOVE)
  await invokeLoad(peer.client, peer.process, request, workers, Math.min(2, seconds))
  const busy = await invokeLoad(peer.client, peer.process, request, workers, seconds)
  const calm = await invokeLoad(peer.client, peer.process, request, 1, Math.min(3, seconds), 10)
  return [
    { name: `${name}, ${workers} callers`, perSecond: busy.perSecond, cpuMicros: busy.peerCpuMicros, p50Ms: busy.p50Ms, p99Ms: busy.p99Ms, peakMiB: busy.peakMiB, note: `${busy.committed} committed in ${busy.blocks} blocks` },
    { name: `${name}, 1 caller, 10 ms apart`, perSecond: calm.perSecond, cpuMicros: calm.peerCpuMicros, p50Ms: calm.p50Ms, p99Ms: calm.p99Ms, peakMiB: calm.peakMiB, note: `${calm.committed} committed in ${calm.blocks} blocks` },
  ]
}

async function inProcess(): Promise<Row[]> {
  const peer = await startPeer()
  try {
    const start: Row = { name: 'node start to first status', perSecond: undefined, cpuMicros: undefined, p50Ms: peer.firstStatusMs, p99Ms: undefined, peakMiB: undefined, note: 'time in the p50 column' }
    const rows = await invokes('invoke in process', peer, 'example02')
    const query = await queryLoad(peer.client, peer.process, invocation('example02', ['query', 'a']), workers, seconds)
    return [start, ...rows, { name: `query in process, ${workers} callers`, perSecond: query.perSecond, cpuMicros: query.peerCpuMicros, p50Ms: undefined, p99Ms: undefined, peakMiB: query.peakMiB, note: `${query.calls} answers` }]
  } finally {
    await peer.stop()
  }
}

async function deployed(): Promise<Row[]> {
  const peer = await startPeer()
  try {
    const spec = ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.NODE, chaincodeID: { path: resolve(SOURCE) }, ctorMsg: { args: ['init', 'a', '1000000', 'b', '1000000'].map((arg) => Buffer.from(arg)) } })
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
    const spec = ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.GOLANG, chaincodeID: { name: 'mycc' }, ctorMsg: { args: ['init', 'a', '1000000', 'b', '1000000'].map((arg) => Buffer.from(arg)) } })
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

async function baselines(): Promise<Row[]> {
  const port = await freePort()
  const request = Buffer.from(invocation('example02', MOVE))
  return [...(await echoBaseline(port, request, newClient(`127.0.0.1:${port}`), workers, seconds)), ...(await storeBaseline(seconds))]
}

const scenarios: Readonly<Record<string, () => Promise<Row[]>>> = { baselines, 'in-process': inProcess, deployed, external }
const chosen = positionals.length > 0 ? positionals : Object.keys(scenarios)
const rows: Row[] = []
for (const name of chosen) {
  const scenario = scenarios[name]
  if (scenario === undefined) throw new Error(`unknown scenario ${name}; known: ${Object.keys(scenarios).join(', ')}`)
  console.error(`running ${name} ...`)
  rows.push(...(await scenario()))
}
printRows(rows, values.json)
process.exit(0)
