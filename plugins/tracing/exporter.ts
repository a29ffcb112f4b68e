import type { Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, ParentBasedSampler, type SpanExporter, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base'
import type { Clock, Logger } from '../../kernel/index.js'

const EXPORT_LIMIT_MS = 5000
const QUEUE_SPANS = 8192
const COMPLAIN_EVERY_MS = 60_000
const SUCCESS = 0

/** Where spans go, and whose they are. */
export interface ExporterOptions {
  readonly endpoint: string
  readonly sampleRatio: number
  readonly serviceName: string
  readonly peerId: string
  readonly networkId: string
  readonly log: Logger
  readonly clock: Clock
}

/** A tracer, and how it ends. */
export interface Exporting {
  readonly tracer: Tracer
  /** Sends what is left, within five seconds. */
  stop(): Promise<void>
}

/** Sends spans over OTLP/HTTP in the background; what does not fit the queue is dropped, what is not taken is dropped and logged. */
export function startExporting({ endpoint, sampleRatio, serviceName, peerId, networkId, log, clock }: ExporterOptions): Exporting {
  const exporter = complaining(new OTLPTraceExporter({ url: tracesUrl(endpoint), timeoutMillis: EXPORT_LIMIT_MS }), endpoint, log, clock)
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.instance.id': peerId, 'weft.network.id': networkId }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: QUEUE_SPANS, scheduledDelayMillis: 1000, exportTimeoutMillis: EXPORT_LIMIT_MS })],
  })
  return { tracer: provider.getTracer('weft'), stop: () => provider.shutdown() }
}

/** The endpoint as OTLP has it: a URL without a path means its `/v1/traces`. */
export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint)
  if (url.pathname === '/') url.pathname = '/v1/traces'
  return url.href
}

/** Says at most once a minute that spans are lost: a collector that is down is no reason to fill the log. */
function complaining(exporter: SpanExporter, endpoint: string, log: Logger, clock: Clock): SpanExporter {
  let lastMs = Number.NEGATIVE_INFINITY
  let lost = 0
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const code: number = result.code
        if (code !== SUCCESS) {
          lost += spans.length
          if (clock.elapsedMs() - lastMs > COMPLAIN_EVERY_MS) {
            lastMs = clock.elapsedMs()
            log.warning(`${endpoint} takes no spans: ${result.error?.message ?? 'no reason given'}`, { lost, key: 'tracing.endpoint' })
          }
        }
        done(result)
      })
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  }
}
