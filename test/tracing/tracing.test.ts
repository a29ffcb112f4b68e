import { once } from 'node:events'
import { createServer } from 'node:http'
import { Client, Metadata, credentials } from '@grpc/grpc-js'
import * as fc from 'fast-check'
import * as z from 'zod'
import { expect, onTestFinished, test } from 'vitest'
import type { Peer, Plugin } from '../../kernel/index.js'
import chaincode from '../../plugins/chaincode/index.js'
import consensus from '../../plugins/consensus/index.js'
import devops from '../../plugins/devops/index.js'
import ledger from '../../plugins/ledger/index.js'
import level from '../../plugins/level/index.js'
import noopsPlugin from '../../plugins/noops/index.js'
import tracing from '../../plugins/tracing/index.js'
import { parseTraceParent } from '../../plugins/tracing/trace-parent.js'
import { tracesUrl } from '../../plugins/tracing/exporter.js'
import { DevopsService, callUnary } from '../../proto/index.js'
import { invocation } from '../integration/support/client.js'
import { grpcPeer } from '../grpc/grpc-peer.js'

const SPAN = z.object({
  name: z.string(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: z.array(z.object({ key: z.string(), value: z.unknown() })),
  status: z.object({ code: z.number().optional(), message: z.string().optional() }),
})
const EXPORT = z.object({ resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(SPAN) })) })) })

/** An OTLP collector. */
async function collector() {
  const spans: z.infer<typeof SPAN>[] = []
  const paths = new Set<string>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      paths.add(request.url ?? '')
      for (const { scopeSpans } of EXPORT.parse(JSON.parse(body)).resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return { spans, paths, endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` }
}

const PLUGINS: readonly Plugin[] = [level, ledger, chaincode, consensus, noopsPlugin, devops, tracing]

async function tracedPeer(values: Record<string, unknown>): Promise<{ peer: Peer; client: Client; lines: string[] }> {
  const { peer, lines } = grpcPeer(PLUGINS, { 'chaincode.system': { example02: 'enable' }, 'tracing.sampleRatio': 1, ...values })
  await peer.start()
  const client = new Client(peer.listenerAddress(), credentials.createInsecure())
  onTestFinished(async () => {
    client.close()
    await peer.stop()
  })
  return { peer, client, lines }
}

function invoke(client: Client, traceParent?: string) {
  const metadata = new Metadata()
  metadata.set('weft-wait', 'outcome')
  if (traceParent !== undefined) metadata.set('traceparent', traceParent)
  return callUnary(client, DevopsService.invoke, invocation('example02', ['invoke', 'a', 'b', '1']), { metadata })
}

test('a transaction leaves spans of its whole way, below the trace of its caller', async () => {
  const { endpoint, spans, paths } = await collector()
  const { peer, client } = await tracedPeer({ 'tracing.endpoint': endpoint, 'tracing.sampleRatio': 0 })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const reply = await invoke(client, `00-${traceId}-b7ad6b7169203331-01`)
  await invoke(client)
  await peer.stop()
  expect([...paths]).toEqual(['/v1/traces'])
  const root = spans.find(({ name }) => name === 'transaction')
  expect(root).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' })
  expect(root?.attributes).toContainEqual({ key: 'weft.txid', value: { stringValue: Buffer.from(reply.msg).toString() } })
  expect(root?.attributes).toContainEqual({ key: 'weft.outcome', value: { stringValue: 'committed' } })
  const stages = spans
    .filter(({ parentSpanId }) => parentSpanId === root?.spanId)
    .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
  expect(new Set(stages.map(({ name }) => name))).toEqual(new Set(['submit', 'order', 'execute', 'commit']))
  for (const { startTimeUnixNano, endTimeUnixNano } of stages) expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
  // Nobody else was sampled.
  expect(spans).toHaveLength(5)
})

test('a collector that is down costs one line of log, and no transaction', async () => {
  const { peer, client, lines } = await tracedPeer({ 'tracing.endpoint': 'http://127.0.0.1:9' })
  await invoke(client)
  await invoke(client)
  await peer.stop()
  expect(lines.filter((line) => line.includes('http://127.0.0.1:9 takes no spans'))).toHaveLength(1)
})

test('without an endpoint nothing is traced', async () => {
  const { client } = await tracedPeer({})
  await invoke(client)
})

test.each([
  ['http://c:4318', 'http://c:4318/v1/traces'],
  ['https://c/', 'https://c/v1/traces'],
  ['http://c/own/path', 'http://c/own/path'],
])('%s means %s', (endpoint, url) => {
  expect(tracesUrl(endpoint)).toBe(url)
})

test('a traceparent that is none is ignored', () => {
  expect(parseTraceParent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00')).toMatchObject({ traceFlags: 0, isRemote: true })
  for (const wrong of ['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff-${'1'.repeat(32)}-b7ad6b7169203331-01`])
    expect(parseTraceParent(wrong)).toBeUndefined()
  fc.assert(fc.property(fc.string(), (text) => parseTraceParent(text) === undefined))
})
