import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import chaincode from '../../plugins/chaincode/index.js'
import events from '../../plugins/events/index.js'
import ledger from '../../plugins/ledger/index.js'
import level from '../../plugins/level/index.js'
import { METRIC_UNITS } from '../../plugins/metrics/index.js'
import { AdminService, EventsService, EventType, LedgerToolsService, callUnary, openStream } from '../../proto/index.js'
import { fakeConsensus, metricsPeer } from './kit.js'

const ROOT = join(import.meta.dirname, '../..')

test('the documented table is what the registry holds: name, type, labels', async () => {
  const { scrape, get } = await metricsPeer([level, ledger, chaincode, events, fakeConsensus().plugin], { 'peer.validator.events.address': '127.0.0.1:0' })
  await scrape()
  const text = await (await get('/metrics')).text()
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]))
  const rows = [...readFileSync(join(ROOT, 'docs/reference/metrics.md'), 'utf8').matchAll(/^\| `(peer_\w+)` \| (\w+) \| (.*?) \|/gm)]
  expect(rows.map(([, name, type]) => `${name} ${type}`).sort()).toEqual([...types].map(([name, type]) => `${name} ${type}`).sort())
  const documented = new Map(rows.map(([, name, , labels]) => [name, [...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label)]))
  for (const [, sample = '', labels = ''] of text.matchAll(/^(\w+)\{(.*?)\} /gm)) {
    const name = types.has(sample) ? sample : sample.replace(/_(bucket|sum|count)$/, '')
    const found = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label).filter((label) => label !== 'le')
    expect({ name, labels: new Set(found) }).toEqual({ name, labels: new Set(documented.get(name)) })
  }
})

test('every name follows the rule, and the documented units are all there are', async () => {
  const { scrape } = await metricsPeer([level, ledger])
  for (const name of (await scrape()).keys()) expect(name).toMatch(new RegExp(`^peer(_[a-z0-9]+){2,}_(${METRIC_UNITS.join('|')})$`))
})

test('figures of the ledger, the store and the engine are those of the moment', async () => {
  const consensus = fakeConsensus()
  consensus.counters.accepted = 12
  consensus.counters.refusedForRoom = 3
  const { scrape } = await metricsPeer([level, ledger, consensus.plugin])
  const found = await scrape()
  expect(found.get('peer_ledger_height_blocks')?.metrics).toEqual([{ value: '1' }])
  expect(found.get('peer_ledger_commit_seconds')?.metrics[0]).toMatchObject({ count: '1' })
  expect(Number(found.get('peer_store_sync_seconds')?.metrics[0]?.count)).toBeGreaterThan(0)
  expect(found.get('peer_consensus_accepted_total')?.metrics).toEqual([{ value: '12' }])
  expect(found.get('peer_consensus_refused_total')?.metrics).toContainEqual({ labels: { reason: 'overloaded' }, value: '3' })
  expect(found.get('peer_consensus_status_value')?.metrics).toEqual([
    { labels: { field: 'view' }, value: '5' },
    { labels: { field: 'isPrimary' }, value: '1' },
  ])
  expect(found.get('peer_consensus_engine_value')?.metrics).toEqual([{ labels: { metric: 'host_x' }, value: '3' }])
  consensus.counters.accepted = 13
  expect((await scrape()).get('peer_consensus_accepted_total')?.metrics).toEqual([{ value: '13' }])
})

test('the classes of a histogram add up to its count', async () => {
  const { metrics, get } = await metricsPeer()
  metrics.histogram({ name: 'peer_loom_weave_seconds', help: 'x', labels: ['kind'] }, () => [
    { labels: { kind: 'a"b' }, bounds: [0.1, 1], counts: [2, 3, 1], sum: 4.5 },
  ])
  const lines = (await (await get('/metrics')).text()).split('\n').filter((line) => line.startsWith('peer_loom'))
  expect(lines).toEqual([
    'peer_loom_weave_seconds_bucket{kind="a\\"b",le="0.1"} 2',
    'peer_loom_weave_seconds_bucket{kind="a\\"b",le="1"} 5',
    'peer_loom_weave_seconds_bucket{kind="a\\"b",le="+Inf"} 6',
    'peer_loom_weave_seconds_sum{kind="a\\"b"} 4.5',
    'peer_loom_weave_seconds_count{kind="a\\"b"} 6',
  ])
})

test('another plugin adds a metric, and takes it out again', async () => {
  const { metrics, scrape } = await metricsPeer()
  const remove = metrics.gauge({ name: 'peer_loom_open_threads', help: 'Threads.' }, () => 4)
  expect((await scrape()).get('peer_loom_open_threads')).toMatchObject({ help: 'Threads.', type: 'GAUGE', metrics: [{ value: '4' }] })
  remove()
  expect((await scrape()).has('peer_loom_open_threads')).toBe(false)
})

test.each(['threads', 'peer_threads_total', 'peer_loom_open_things', 'peer_Loom_open_threads', 'peer_loom_open_total'])(
  'a gauge must not be named %s',
  async (name) => {
    const { metrics } = await metricsPeer()
    expect(() => metrics.gauge({ name, help: 'x' }, () => 1)).toThrow(/expected peer_<area>_<what>_<unit>/)
  },
)

test('a metric is added once', async () => {
  const { metrics } = await metricsPeer()
  expect(() => metrics.gauge({ name: 'peer_eventloop_delay_seconds', help: 'x' }, () => 1)).toThrow(/there already/)
})

test('a metric that cannot be read does not hide the others; the log says so once, and a counter counts', async () => {
  const { metrics, scrape, lines } = await metricsPeer()
  metrics.gauge({ name: 'peer_loom_open_threads', help: 'x' }, () => {
    throw new Error('torn')
  })
  await scrape()
  const found = await scrape()
  expect(found.get('peer_metrics_failed_reads_total')?.metrics).toEqual([{ value: expect.stringMatching(/^[12]$/) }])
  expect(lines.filter((line) => line.includes('peer_loom_open_threads cannot be read: torn'))).toHaveLength(1)
})

test('labels without an end are cut, and counted', async () => {
  const { metrics, scrape } = await metricsPeer()
  metrics.gauge({ name: 'peer_loom_open_threads', help: 'x', labels: ['n'] }, () =>
    Array.from({ length: 3000 }, (_, n) => ({ labels: { n: String(n) }, value: n })),
  )
  expect((await scrape()).get('peer_loom_open_threads')?.metrics).toHaveLength(1000)
  expect(Number((await scrape()).get('peer_metrics_cut_samples_total')?.metrics[0]?.value)).toBeGreaterThanOrEqual(2000)
})

test('calls are counted by method and code, connections by listener', async () => {
  const { peer, scrape } = await metricsPeer([level, ledger])
  const client = new Client(peer.listenerAddress(), credentials.createInsecure())
  onTestFinished(() => client.close())
  await callUnary(client, LedgerToolsService.info, {})
  await expect(callUnary(client, AdminService.getStatus, {})).rejects.toThrow(/UNIMPLEMENTED/)
  const found = await scrape()
  expect(found.get('peer_grpc_calls_total')?.metrics).toEqual([{ labels: { listener: 'peer', method: '/weft.LedgerTools/Info', code: 'OK' }, value: '1' }])
  expect(found.get('peer_grpc_open_connections')?.metrics).toEqual([{ labels: { listener: 'peer' }, value: '1' }])
  const stream = openStream(client, LedgerToolsService.verify)
  stream.write({})
  await new Promise((resolve) => stream.on('data', () => undefined).on('end', resolve))
  expect((await scrape()).get('peer_grpc_calls_total')?.metrics).toContainEqual({
    labels: { listener: 'peer', method: '/weft.LedgerTools/Verify', code: 'OK' },
    value: '1',
  })
})

test('HTTP requests are counted by route and status; what clients make up is no label', async () => {
  const { get, scrape } = await metricsPeer()
  for (const path of ['/livez', '/livez', '/made/up/1', '/made/up/2']) await (await get(path)).text()
  const counted = (await scrape()).get('peer_http_requests_total')?.metrics
  expect(counted).toContainEqual({ labels: { listener: 'metrics', method: 'GET', route: '/livez', code: '200' }, value: '2' })
  expect(counted).toContainEqual({ labels: { listener: 'metrics', method: 'GET', route: 'none', code: '404' }, value: '2' })
})

test('consumers of events and what they are sent are counted, over gRPC and HTTP alike', async () => {
  const { peer, scrape } = await metricsPeer([level, ledger, events], {
    'peer.validator.events.address': '127.0.0.1:0',
    'peer.validator.events.maxconsumers': 1,
  })
  const client = new Client(peer.listenerAddress('events'), credentials.createInsecure())
  onTestFinished(() => client.close())
  const consume = () => openStream(client, EventsService.chat)
  const first = consume()
  first.on('error', () => undefined)
  first.write({ Event: { $case: 'register', value: { events: [{ eventType: EventType.BLOCK, RegInfo: undefined }] } } })
  await new Promise((resolve) => first.once('data', resolve))
  const second = consume()
  await new Promise((resolve) => second.once('error', resolve))
  const value = async (name: string) => (await scrape()).get(`peer_events_${name}`)?.metrics[0]?.value
  expect([await value('open_consumers'), await value('consumers_total'), await value('refused_total'), await value('sent_total')]).toEqual(['1', '1', '1', '1'])
  first.cancel()
  await expect.poll(() => value('open_consumers')).toBe('0')
})

test('without metrics nothing listens', async () => {
  const { lines } = await metricsPeer([], { 'metrics.enabled': false })
  expect(lines.join('')).not.toContain('listener metrics')
})
