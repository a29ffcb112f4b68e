import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { error } from './envelope.js'

/** Which web pages may use REST. */
export interface OriginPolicy {
  /** True if the answer may be read by pages of this origin. */
  allows(origin: string): boolean
  /** Headers for requests of this origin. */
  headers(origin: string | undefined): Readonly<Record<string, string>>
}

/**
 * `rest.cors.origins` as a policy. v0.6 lets every page read (`*`); here none, unless the site says so.
 */
export function originPolicy(origins: readonly string[]): OriginPolicy {
  const common = { 'Access-Control-Allow-Headers': 'accept, content-type' }
  if (origins.includes('*')) return { allows: () => true, headers: () => ({ 'Access-Control-Allow-Origin': '*', ...common }) }
  const allowed = new Set(origins)
  if (allowed.size === 0) return { allows: () => false, headers: () => ({}) }
  return {
    allows: (origin) => allowed.has(origin),
    headers: (origin) => ({ Vary: 'Origin', ...(origin !== undefined && allowed.has(origin) ? { 'Access-Control-Allow-Origin': origin, ...common } : {}) }),
  }
}

/**
 * Sets the headers of every answer, and refuses what changes something when a page of another origin sends it: v0.6 looks at no content type, so a browser
 * would send such requests without asking first, and whoever reads a hostile page on the machine of a peer would invoke chaincode.
 */
export function guardOrigins(app: FastifyInstance, policy: OriginPolicy): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    void reply.header('Content-Type', 'application/json')
    for (const [name, value] of Object.entries(policy.headers(origin))) void reply.header(name, value)
    if (origin === undefined || isReading(request.method) || policy.allows(origin) || isOwn(origin, request.headers.host)) return undefined
    return reply.code(403).send(error(`Pages of ${origin} may not use this peer; the site can allow them with rest.cors.origins.`))
  })
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** A page that this listener itself could have served. Not under a name: whoever owns a name can point it at this machine for a moment (DNS rebinding). */
function isOwn(origin: string, host = ''): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  return (isIP(name) !== 0 || name === 'localhost') && (origin === `http://${host}` || origin === `https://${host}`)
}
