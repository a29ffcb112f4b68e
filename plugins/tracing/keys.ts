import * as z from 'zod'
import { defineKeys, key, text } from '../../kernel/index.js'

/** Keys of the tracing plugin. */
export const tracingKeys = defineKeys({
  'tracing.endpoint': key(
    z.union([z.literal(''), z.url({ protocol: /^https?$/, error: 'expected an http or https URL, such as http://127.0.0.1:4318' })]),
    '',
    'where spans are sent, OTLP over HTTP; without a path /v1/traces is asked; empty: nothing is traced',
  ),
  'tracing.sampleRatio': key(
    z
      .union([
        z.number(),
        z
          .string()
          .regex(/^\d+(\.\d+)?$/, 'expected a number from 0 to 1')
          .transform(Number),
      ])
      .pipe(z.number().min(0).max(1)),
    0.01,
    'share of the transactions that are traced, 0 to 1; a caller with a traceparent of its own has decided already',
  ),
  'tracing.serviceName': key(text(), 'weft-peer', 'service.name of the spans; the peer is service.instance.id'),
})
