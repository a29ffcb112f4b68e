import { definePlugin } from '../../kernel/index.js'
import { CHAINCODE, CHAINCODE_COUNTERS } from '../chaincode/index.js'
import { CONSENSUS, CONSENSUS_FIGURES } from '../consensus/index.js'
import { EVENT_COUNTERS } from '../events/index.js'
import { TRAFFIC } from '../grpc/index.js'
import { HTTP, HTTP_TRAFFIC } from '../http/index.js'
import { LEDGER, LEDGER_COUNTERS, validatorKeys } from '../ledger/index.js'
import { STORE_COUNTERS } from '../level/index.js'
import { NETWORK } from '../network/index.js'
import { Catalogue } from './catalogue.js'
import { addChecks, freeBytes } from './checks.js'
import { GcWatch } from './gc-watch.js'
import { Health } from './health.js'
import { metricsKeys } from './keys.js'
import { LoopWatch } from './loop-watch.js'
import { METRICS, type Metrics } from './metrics.js'
import { metricsRoutes } from './routes.js'
import { addChaincodeMetrics } from './sources/chaincode.js'
import { addConsensusMetrics } from './sources/consensus.js'
import { addEventMetrics } from './sources/events.js'
import { addGrpcMetrics } from './sources/grpc.js'
import { addHttpMetrics } from './sources/http.js'
import { addLedgerMetrics, addStoreMetrics } from './sources/ledger.js'
import { addNetworkMetrics } from './sources/network.js'
import { addProcessMetrics } from './sources/process.js'

/** Metrics for Prometheus and the health of the peer, on a listener of their own. See README.md. */
export default definePlugin({
  name: 'metrics',
  description: 'Prometheus metrics at /metrics; health of each component at /healthz and /readyz',
  config: { ...metricsKeys, ...validatorKeys },
  provides: [METRICS],
  uses: [
    HTTP,
    HTTP_TRAFFIC,
    EVENT_COUNTERS,
    TRAFFIC,
    STORE_COUNTERS,
    LEDGER,
    LEDGER_COUNTERS,
    CHAINCODE,
    CHAINCODE_COUNTERS,
    CONSENSUS,
    CONSENSUS_FIGURES,
    NETWORK,
  ],
  apply(peer) {
    const catalogue = new Catalogue(peer.log)
    const health = new Health(peer.clock)
    const loop = new LoopWatch(peer.clock)
    const gc = new GcWatch()
    const metrics: Metrics = Object.freeze<Metrics>({
      gauge: (spec, read) => catalogue.addValue('gauge', spec, read),
      counter: (spec, read) => catalogue.addValue('counter', spec, read),
      histogram: (spec, read) => catalogue.addHistogram(spec, read),
      check: (name, check, scope = 'health') => health.add(name, check, scope),
    })
    peer.hooks.db.tap(async ({ directory }) => {
      peer.provide(METRICS, metrics)
      addProcessMetrics(metrics, loop, gc)
      addStoreMetrics(metrics, peer)
      addLedgerMetrics(metrics, peer)
      addConsensusMetrics(metrics, peer)
      addChaincodeMetrics(metrics, peer)
      addGrpcMetrics(metrics, peer)
      addHttpMetrics(metrics, peer)
      addEventMetrics(metrics, peer)
      addNetworkMetrics(metrics, peer)
      addOwnMetrics(metrics, catalogue, health, directory)
      addChecks(metrics, { peer, settings: peer.settings(metricsKeys), directory, loop })
    })
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings(metricsKeys)
      if (!settings['metrics.enabled']) return
      const listener = peer.use(HTTP).declare('metrics', settings['metrics.address'], { key: 'metrics.address' })
      peer.onDispose(() => listener.remove())
      listener.add(metricsRoutes(catalogue, health))
    })
    peer.hooks.start.tap(async () => {
      if (!peer.settings(metricsKeys)['metrics.enabled']) return
      loop.start()
      gc.start()
      await peer.use(HTTP).open()
    })
    peer.hooks.stop.tap(async () => {
      loop.stop()
      gc.stop()
    })
  },
})

function addOwnMetrics(metrics: Metrics, catalogue: Catalogue, health: Health, directory: string): void {
  metrics.gauge({ name: 'peer_store_free_bytes', help: 'Room on the disk of peer.fileSystemPath.' }, () => freeBytes(directory))
  metrics.gauge({ name: 'peer_health_check_boolean', help: '1: the component is well; see /readyz for the reasons.', labels: ['check'] }, async () => {
    const { checks } = await health.judge('ready')
    return Object.entries(checks).map(([check, { ok }]) => ({ labels: { check }, value: Number(ok) }))
  })
  metrics.counter({ name: 'peer_metrics_failed_reads_total', help: 'Metrics that could not be read; the log says why.' }, () => catalogue.failedReads)
  metrics.counter({ name: 'peer_metrics_cut_samples_total', help: 'Values left out because one metric had more than 1000.' }, () => catalogue.cutSamples)
}
