import type { FastifyRequest } from 'fastify'
import { type Clock, type Logger, messageOf } from '../../kernel/index.js'

/** Is told of a request that ends with 500 in v0.6's words: its route, and why. */
export type Failed = (request: FastifyRequest, cause: unknown) => void

const LINE_EVERY_MS = 10_000

/** Writes an ERROR line of a failed request; clients that ask again and again have one in ten seconds for a route, which says how many there were. */
export function failureLog(log: Logger, clock: Clock): Failed {
  const routes = new Map<string, { nextMs: number; silent: number }>()
  return ({ method, routeOptions: { url: route = '' } }, cause) => {
    const nowMs = clock.elapsedMs()
    const last = routes.get(route) ?? { nextMs: nowMs, silent: 0 }
    if (nowMs < last.nextMs) {
      routes.set(route, { ...last, silent: last.silent + 1 })
      return
    }
    log.error(`${method} ${route}: ${messageOf(cause)}`, last.silent === 0 ? {} : { alsoFailed: last.silent })
    routes.set(route, { nextMs: nowMs + LINE_EVERY_MS, silent: 0 })
  }
}
