import * as z from 'zod'
import parse, { type ParsedMetric } from 'parse-prometheus-text-format'
import { onTestFinished } from 'vitest'
import { type Plugin, type PeerOptions, definePlugin } from '../../kernel/index.js'
import { CONSENSUS, CONSENSUS_FIGURES, ConsensusCounters, type ConsensusStatus } from '../../plugins/consensus/index.js'
import http, { HTTP } from '../../plugins/http/index.js'
import metrics, { METRICS, type Metrics } from '../../plugins/metrics/index.js'
import { grpcPeer } from '../grpc/grpc-peer.js'

/** A running peer with metrics, and what leads to its parts. */
export async function metricsPeer(plugins: readonly Plugin[] = [], values: Record<string, unknown> = {}, options: PeerOptions = {}) {
  let address = ''
  let service: Metrics | undefined
  const finder = definePlugin({
    name: 'finder',
    requires: [HTTP, METRICS],
    apply(host) {
      host.hooks.start.tap(async () => {
        address = host.use(HTTP).find('metrics')?.address ?? ''
        service = host.use(METRICS)
      })
    },
  })
  const { peer, lines } = grpcPeer(
    [http, ...plugins, metrics, finder],
    { 'metrics.address': '127.0.0.1:0', 'metrics.health.loopDelay': '1h', ...values },
    options,
  )
  await peer.start()
  onTestFinished(() => peer.stop())
  if (service === undefined) throw new Error('no metrics')
  return { peer, lines, metrics: service, ...doors(address) }
}

/** What a scraper and a supervisor see. */
export function doors(address: string) {
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`http://${address}${path}`, { headers })
  return {
    get,
    async scrape(): Promise<ReadonlyMap<string, ParsedMetric>> {
      const response = await get('/metrics')
      if (!response.ok) throw new Error(`/metrics answered ${response.status}`)
      return new Map(parse(await response.text()).map((metric) => [metric.name, metric]))
    },
    async judge(path: '/healthz' | '/readyz') {
      const response = await get(path)
      return { code: response.status, verdict: VERDICT.parse(await response.json()) }
    },
  }
}

/** A consensus that says what a test wants it to say. */
export function fakeConsensus() {
  const status = { value: { ...RUNNING } }
  const counters = new ConsensusCounters(() => performance.now())
  const plugin = definePlugin({
    name: 'consensus',
    provides: [CONSENSUS, CONSENSUS_FIGURES],
    apply(peer) {
      peer.hooks.db.tap(async () => {
        peer.provide(CONSENSUS, {
          submit: () => Promise.reject(new Error('not here')),
          checkRoom: () => undefined,
          get valid() {
            return status.value.valid
          },
          status: () => status.value,
        })
        peer.provide(CONSENSUS_FIGURES, { counters, metrics: () => new Map([['host_x', 3]]), queues: () => ({ inbox: 0, outbox: 0 }) })
      })
    },
  })
  const set = (change: Partial<ConsensusStatus>): void => {
    status.value = { ...RUNNING, ...change }
  }
  return { plugin, counters, set }
}

const VERDICT = z.object({ status: z.string(), checks: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string() })) })

const RUNNING: ConsensusStatus = {
  engine: { name: 'loom', version: '1' },
  epoch: 2n,
  height: 7n,
  valid: true,
  pendingRequests: 0,
  halted: undefined,
  engineView: { view: 5n, primary: 'vp1', isPrimary: true },
}
