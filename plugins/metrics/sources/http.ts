import type { PluginHost } from '../../../kernel/index.js'
import { HTTP_TRAFFIC } from '../../http/index.js'
import type { Metrics } from '../metrics.js'

/** Requests of HTTP clients: REST, events, metrics. Routes are those that plugins declared: what clients make up is not among the labels. */
export function addHttpMetrics(metrics: Metrics, peer: PluginHost): void {
  metrics.counter(
    { name: 'peer_http_requests_total', help: 'Answered HTTP requests, by route and status code.', labels: ['listener', 'method', 'route', 'code'] },
    () =>
      [...(peer.find(HTTP_TRAFFIC)?.counts() ?? [])].map(({ listener, method, route, status, count }) => ({
        labels: { listener, method, route, code: String(status) },
        value: count,
      })),
  )
}
