import type { PluginHost } from '../../../kernel/index.js'
import { type ListenerTraffic, type MethodTraffic, TRAFFIC } from '../../grpc/index.js'
import type { Metrics, Sample } from '../metrics.js'

/** Status codes of gRPC, by number. */
const CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** Connections and calls of the gRPC listeners. Methods are those that plugins serve: what clients make up is not among the labels. */
export function addGrpcMetrics(metrics: Metrics, peer: PluginHost): void {
  const listeners = (): readonly ListenerTraffic[] => peer.find(TRAFFIC)?.listeners() ?? []
  metrics.gauge({ name: 'peer_grpc_open_connections', help: 'Connections of each gRPC listener.', labels: ['listener'] }, () =>
    listeners().map(({ name, connections }) => ({ labels: { listener: name }, value: connections })),
  )
  metrics.counter({ name: 'peer_grpc_connections_total', help: 'Connections that each gRPC listener took.', labels: ['listener'] }, () =>
    listeners().map(({ name, acceptedConnections }) => ({ labels: { listener: name }, value: acceptedConnections })),
  )
  metrics.gauge({ name: 'peer_grpc_open_calls', help: 'Calls and streams that have not ended, by method.', labels: ['listener', 'method'] }, () =>
    listeners().flatMap(({ name, methods }) => [...methods].map(({ path, open }) => ({ labels: { listener: name, method: path }, value: open }))),
  )
  metrics.counter(
    { name: 'peer_grpc_calls_total', help: 'Calls and streams that have ended, by method and status code.', labels: ['listener', 'method', 'code'] },
    () => listeners().flatMap(({ name, methods }) => [...methods].flatMap((method) => endedCalls(name, method))),
  )
}

function endedCalls(listener: string, { path, endedByCode }: MethodTraffic): Sample[] {
  return CODES.map((code, number) => ({ labels: { listener, method: path, code }, value: endedByCode[number] ?? 0 })).filter(({ value }) => value > 0)
}
