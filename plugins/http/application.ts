import type { FastifyError, FastifyInstance } from 'fastify'
import { type Logger, messageOf } from '../../kernel/index.js'
import { refuseWith } from './client-errors.js'
import type { HttpSettings } from './keys.js'
import type { HttpRoutes } from './listeners.js'
import type { HttpCounts } from './traffic.js'

/** The routes of one listener. */
export interface RouteGroup {
  readonly name: string
  readonly routes: readonly HttpRoutes[]
  readonly maxBodyBytes: number | undefined
}

export interface ApplicationParts {
  readonly settings: HttpSettings
  readonly log: Logger
  readonly counts: HttpCounts
  /** The request does not count as one in work any more. */
  readonly endSlot: (request: object) => void
}

/**
 * Makes the router of one server. fastify is loaded here and nowhere else, so that a peer without HTTP listeners does not pay for it.
 * What goes wrong outside the routes' own handlers is answered as `{"Error":"text"}`, the envelope of v0.6 (spec/node.md §6.1).
 */
export async function createApplication(groups: readonly RouteGroup[], { settings, log, counts, endSlot }: ApplicationParts): Promise<FastifyInstance> {
  const { fastify } = await import('fastify')
  const app = fastify({
    logger: false,
    bodyLimit: settings['http.limits.bodyBytes'],
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: settings['http.limits.headerBytes'] },
    exposeHeadRoutes: true,
    requestIdHeader: false,
    // The plugins are our own and await nothing: on a machine that stands still for ten seconds the peer starts late, and does not end.
    pluginTimeout: 0,
    // v0.6 matches the decoded path, slashes included.
    rewriteUrl: (request) => decodedSlashes(request.url ?? '/'),
    frameworkErrors: (error, _request, reply) => refuseWith(reply.raw, error.statusCode ?? 400, error.message),
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) log.error(`${request.method} ${request.url}: ${messageOf(error)}`)
    return reply.code(status).send({ Error: status >= 500 ? 'internal error' : error.message })
  })
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.longLived === true) endSlot(request.raw)
  })
  const everybody = groups.map(({ name }) => name).join(', ')
  app.addHook('onResponse', async ({ method, routeOptions: { url = 'none', config } }, { statusCode }) => {
    counts.add(config.listener ?? everybody, method, url, statusCode)
  })
  if (settings['http.accessLog']) {
    app.addHook('onResponse', async (request, reply) =>
      log.in('access').info(`${request.ip} ${request.method} ${request.originalUrl} ${reply.statusCode} ${reply.elapsedTime.toFixed(1)} ms`),
    )
  }
  for (const { name, routes, maxBodyBytes } of groups) {
    await app.register(async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.config = { ...route.config, listener: name }
        if (maxBodyBytes !== undefined) route.bodyLimit ??= maxBodyBytes
      })
      for (const add of routes) await add(scope)
    })
  }
  await app.ready()
  return app
}

function decodedSlashes(url: string): string {
  if (!url.includes('%')) return url
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  return path.replace(/%2f/gi, '/') + url.slice(path.length)
}
