import type { FastifyInstance, HTTPMethods } from 'fastify'
import type { PeerEndpoint } from '../../proto/index.js'
import type { Devops } from '../devops/index.js'
import type { Ledger } from '../ledger/index.js'
import { error } from './envelope.js'
import type { Failed } from './failed.js'
import { type OriginPolicy, guardOrigins } from './origins.js'
import type { Registrar } from './registrar.js'
import { chaincodeRoutes } from './routes/chaincode.js'
import { documentRoutes } from './routes/documents.js'
import { ledgerRoutes } from './routes/ledger.js'
import { networkRoutes } from './routes/network.js'
import { registrarRoutes } from './routes/registrar.js'

/** What the routes work with. Services are functions, so that a replaced plugin is seen. */
export interface RestParts {
  readonly devops: () => Devops
  readonly ledger: () => Ledger
  readonly self: () => PeerEndpoint
  readonly connected: () => readonly PeerEndpoint[]
  readonly registrar: Registrar
  readonly isDevelopment: boolean
  readonly origins: OriginPolicy
  readonly failed: Failed
}

/** All routes of spec/node.md §6, and their document. */
export async function restRoutes(app: FastifyInstance, parts: RestParts): Promise<void> {
  // v0.6 answers in its own words and order, so the schemas document and the handlers check.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  acceptAnyBody(app)
  guardOrigins(app, parts.origins)
  answerOptions(app, parts.origins)
  const { default: swagger } = await import('@fastify/swagger')
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Weft REST', version: '0.6', description: 'The REST interface of a v0.6 peer.' } },
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(error('Openchain endpoint not found.')))
  ledgerRoutes(app, parts.ledger, parts.failed)
  networkRoutes(app, parts.self, parts.connected)
  chaincodeRoutes(app, parts)
  registrarRoutes(app, parts)
  documentRoutes(app)
}

/** Bodies are bytes for the handlers, whatever their content type says: v0.6 does not look at it. */
function acceptAnyBody(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    request.raw.headers['content-type'] = 'application/octet-stream'
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** OPTIONS on a known path is answered 200 with its methods, and nothing else (spec/node.md §6.1). */
function answerOptions(app: FastifyInstance, origins: OriginPolicy): void {
  const methods = new Map<string, Set<HTTPMethods>>()
  app.addHook('onRoute', ({ url, method }) => {
    const added = [method].flat().filter((name) => name !== 'HEAD' && name !== 'OPTIONS')
    if (added.length === 0) return
    const known = methods.get(url)
    if (known !== undefined) {
      for (const name of added) known.add(name)
      return
    }
    const here = new Set(added)
    methods.set(url, here)
    app.options(url, { schema: { hide: true } }, async (request, reply) => {
      const list = [...here].join(', ')
      const { origin } = request.headers
      const shared = Object.hasOwn(origins.headers(origin), 'Access-Control-Allow-Origin')
      return reply.header(shared ? 'Access-Control-Allow-Methods' : 'Allow', list).send(Buffer.alloc(0))
    })
  })
}
