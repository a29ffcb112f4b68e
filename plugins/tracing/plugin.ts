import { definePlugin, messageOf, peerKeys } from '../../kernel/index.js'
import { TRACING } from '../consensus/index.js'
import { tracingKeys } from './keys.js'

/** Spans of transactions for OpenTelemetry, when `tracing.endpoint` says where they go. Without it nothing is loaded and nothing looks on. See README.md. */
export default definePlugin({
  name: 'tracing',
  description: 'OpenTelemetry spans of transactions: submit, order, execute, commit',
  config: tracingKeys,
  provides: [TRACING],
  apply(peer) {
    let end: (() => Promise<void>) | undefined
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings({ ...tracingKeys, ...peerKeys })
      const endpoint = settings['tracing.endpoint']
      if (endpoint === '') {
        peer.provide(TRACING, { probe: undefined })
        return
      }
      const [{ startExporting }, { TransactionSpans }] = await Promise.all([import('./exporter.js'), import('./transaction-spans.js')])
      const exporting = startExporting({
        endpoint,
        sampleRatio: settings['tracing.sampleRatio'],
        serviceName: settings['tracing.serviceName'],
        peerId: settings['peer.id'],
        networkId: settings['peer.networkId'],
        log: peer.log,
        clock: peer.clock,
      })
      const spans = new TransactionSpans(exporting.tracer, () => {
        const { seconds, nanos } = peer.clock.now()
        return Number(seconds) * 1000 + nanos / 1e6
      })
      peer.provide(TRACING, { probe: spans })
      end = async () => {
        spans.stop('the peer stopped before its outcome was known')
        await exporting.stop().catch((error: unknown) => peer.log.warning(`the last spans were not sent: ${messageOf(error)}`))
      }
    })
    // Plugins stop in reverse order: consensus has stopped before.
    peer.hooks.stop.tap(async () => {
      await end?.()
      end = undefined
    })
  },
})
