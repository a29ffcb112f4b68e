import { type SpanContext, TraceFlags, isSpanContextValid } from '@opentelemetry/api'

/** Reads a W3C `traceparent` header; undefined if it is none: it came from outside, and a wrong one is no reason to refuse anything. */
export function parseTraceParent(header: string): SpanContext | undefined {
  const found = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/.exec(header.slice(0, 256))
  const [, traceId = '', spanId = '', flags = '00'] = found ?? []
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
  return isSpanContextValid(context) ? context : undefined
}
