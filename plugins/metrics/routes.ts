import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpRoutes } from '../http/index.js'
import type { Catalogue } from './catalogue.js'
import type { Exposition } from './exposition.js'
import { type Health, verdictText } from './health.js'
import type { CheckScope } from './metrics.js'

const UNAVAILABLE = 503

/** `/metrics`, `/healthz`, `/readyz`, `/livez`. */
export function metricsRoutes(catalogue: Catalogue, health: Health): HttpRoutes {
  let exposition: Promise<Exposition> | undefined
  let scrape: Promise<string> | undefined
  const load = async (): Promise<Exposition> => new (await import('./exposition.js')).Exposition(catalogue)
  const answer = (scope: CheckScope) => async (request: FastifyRequest, reply: FastifyReply) => {
    const verdict = await health.judge(scope)
    void reply.code(verdict.ok ? 200 : UNAVAILABLE).header('cache-control', 'no-store')
    if (wantsText(request)) return reply.type('text/plain; charset=utf-8').send(verdictText(verdict))
    return reply.send({ status: verdict.ok ? 'ok' : 'failing', checks: verdict.checks })
  }
  return (app) => {
    app.get('/metrics', async (_request, reply) => {
      const current = await (exposition ??= load())
      // Whoever comes while the metrics are being read gets the same text.
      scrape ??= current.text().finally(() => {
        scrape = undefined
      })
      const text = await scrape
      return reply.type(current.contentType).header('cache-control', 'no-store').send(text)
    })
    app.get('/healthz', answer('health'))
    app.get('/readyz', answer('ready'))
    app.get('/livez', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'))
  }
}

/** `?format=text`, or a client that asks for text and not for JSON. */
function wantsText({ query, headers }: FastifyRequest): boolean {
  const format = typeof query === 'object' && query !== null && 'format' in query ? query.format : undefined
  if (format !== undefined) return format === 'text'
  const accept = headers.accept ?? ''
  return accept.includes('text/plain') && !accept.includes('application/json')
}
