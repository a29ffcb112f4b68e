import type { PluginHost } from '../../../kernel/index.js'
import { EVENT_COUNTERS, type EventCounters } from '../../events/index.js'
import type { Metrics } from '../metrics.js'

/** The event hub, over gRPC and HTTP. Nothing on a peer without one. */
export function addEventMetrics(metrics: Metrics, peer: PluginHost): void {
  const read = (pick: (counters: EventCounters) => number) => () => {
    const counters = peer.find(EVENT_COUNTERS)
    return counters && pick(counters)
  }
  metrics.gauge(
    { name: 'peer_events_open_consumers', help: 'Event consumers that are connected.' },
    read(({ consumers }) => consumers),
  )
  metrics.counter(
    { name: 'peer_events_consumers_total', help: 'Event consumers that were taken in.' },
    read(({ admitted }) => admitted),
  )
  metrics.counter(
    { name: 'peer_events_refused_total', help: 'Event consumers turned away for want of room.' },
    read(({ refused }) => refused),
  )
  metrics.counter({ name: 'peer_events_dropped_total', help: 'Event consumers that the peer ended, by reason.', labels: ['reason'] }, () => {
    const counters = peer.find(EVENT_COUNTERS)
    if (!counters) return undefined
    return [
      { labels: { reason: 'slow' }, value: counters.droppedSlow },
      { labels: { reason: 'failed' }, value: counters.droppedFailed },
    ]
  })
  metrics.counter(
    { name: 'peer_events_sent_total', help: 'Messages handed to event consumers.' },
    read(({ sent }) => sent),
  )
  metrics.counter(
    { name: 'peer_events_sent_bytes_total', help: 'Bytes of these messages.' },
    read(({ sentBytes }) => sentBytes),
  )
}
