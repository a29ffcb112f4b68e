import type { PluginHost } from '../../../kernel/index.js'
import { NETWORK } from '../../network/index.js'
import type { Metrics } from '../metrics.js'

/** Connections to other peers. Not by peer: anybody may connect under any id. */
export function addNetworkMetrics(metrics: Metrics, peer: PluginHost): void {
  const status = () => peer.find(NETWORK)?.status()
  metrics.gauge({ name: 'peer_network_connected_peers', help: 'Peers that are connected.' }, () => status()?.links.length)
  metrics.gauge(
    { name: 'peer_network_unreachable_peers', help: 'Addresses that are dialled and whose last attempt failed.' },
    () => status()?.dials.filter(({ failures }) => failures > 0).length,
  )
  metrics.gauge({ name: 'peer_network_queued_bytes', help: 'Bytes that wait to be sent to other peers.' }, () =>
    status()?.links.reduce((sum, { queuedBytes }) => sum + Number(queuedBytes), 0),
  )
  metrics.counter({ name: 'peer_network_rejected_total', help: 'Messages of other peers that were refused: wrong order, unknown type, undecodable.' }, () => {
    const found = status()
    return found && Number(found.rejected)
  })
}
