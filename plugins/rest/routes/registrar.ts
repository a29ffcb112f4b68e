import type { FastifyInstance, FastifyReply, FastifySchema } from 'fastify'
import { PeerError, messageOf } from '../../../kernel/index.js'
import { error, ok } from '../envelope.js'
import type { Failed } from '../failed.js'
import { SCHEMAS, answer, errors } from '../json/schemas.js'
import type { Registrar } from '../registrar.js'
import { readSecret } from '../secret.js'

const MAX_UINT32 = 2n ** 32n - 1n
const SECURITY_OFF = 'Security functionality must be enabled before requesting client certificates.'

/** What these routes work with. */
export interface RegistrarParts {
  readonly registrar: Registrar
  readonly failed: Failed
}

/** POST /registrar and /registrar/:id with its certificates (spec/node.md §6.3), on a peer with security off. */
export function registrarRoutes(app: FastifyInstance, parts: RegistrarParts): void {
  const { registrar, failed } = parts
  app.post<{ Body: unknown }>('/registrar', { schema: loginSchema }, async ({ body }, reply) => {
    if (!(body instanceof Uint8Array) || body.length === 0) {
      return reply.code(400).send(error('Payload must contain object Secret with enrollId and enrollSecret fields.'))
    }
    const secret = readSecret(body)
    if ('wrong' in secret) return reply.code(400).send(error(secret.wrong))
    const { enrollId, enrollSecret } = secret
    if (enrollId === '' || enrollSecret === '') return reply.code(400).send(error('enrollId and enrollSecret may not be blank.'))
    return withId(parts, enrollId, reply, async () => {
      if (await registrar.isLoggedIn(enrollId)) return reply.send(ok(`User ${enrollId} is already logged in.`))
      try {
        await registrar.login(enrollId, enrollSecret)
      } catch (cause) {
        if (cause instanceof PeerError && cause.code === 'ERR_REST_TOKEN') {
          failed(reply.request, cause)
          return reply.code(500).send(error(`Fatal error -- ${cause.message}`))
        }
        return reply.code(401).send(error(messageOf(cause)))
      }
      return reply.send(ok(`Login successful for user '${enrollId}'.`))
    })
  })

  app.get<{ Params: { id: string } }>('/registrar/:id', { schema: statusSchema }, async ({ params: { id } }, reply) =>
    withId(parts, id, reply, async () =>
      (await registrar.isLoggedIn(id)) ? reply.send(ok(`User ${id} is already logged in.`)) : reply.code(401).send(error(`User ${id} must log in.`)),
    ),
  )

  app.delete<{ Params: { id: string } }>('/registrar/:id', { schema: logoutSchema }, async ({ params: { id } }, reply) =>
    withId(parts, id, reply, async () =>
      reply.send(ok((await registrar.logout(id)) ? `Deleted login token and directory for user ${id}.` : `User ${id} is not logged in.`)),
    ),
  )

  app.get('/registrar/:id/ecert', { schema: ecertSchema }, async (_request, reply) => reply.code(400).send(error(SECURITY_OFF)))

  app.get<{ Querystring: { count?: string | string[] } }>('/registrar/:id/tcert', { schema: tcertSchema }, async ({ query }, reply) => {
    const [count] = [query.count ?? '1'].flat()
    const isCount = count !== undefined && /^\d{1,400}$/.test(count) && BigInt(count) <= MAX_UINT32
    return reply.code(400).send(error(isCount ? SECURITY_OFF : 'Count query parameter must be a non-negative integer.'))
  })
}

/** Answers what is wrong with an enrollment id, or acts; what the disk refuses is a 500 with its text. */
async function withId({ registrar, failed }: RegistrarParts, id: string, reply: FastifyReply, act: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return registrar.isValid(id) ? await act() : reply.code(400).send(error('Invalid enrollment ID parameter'))
  } catch (cause) {
    failed(reply.request, cause)
    return reply.code(500).send(error(messageOf(cause)))
  }
}

const params = { type: 'object', properties: { id: { type: 'string', description: 'Enrollment id.' } }, required: ['id'] }
const secret = {
  type: 'object',
  properties: { enrollId: { type: 'string' }, enrollSecret: { type: 'string' } },
  required: ['enrollId', 'enrollSecret'],
  additionalProperties: false,
}
const loginSchema: FastifySchema = {
  summary: 'Log a user in',
  body: secret,
  response: {
    200: answer('Logged in.', SCHEMAS.ok),
    ...errors({ 400: 'The body is wrong.', 401: 'The login failed.', 500: 'The peer cannot check or store it.' }),
  },
}
const statusSchema: FastifySchema = {
  summary: 'Whether a user is logged in',
  params,
  response: { 200: answer('Logged in.', SCHEMAS.ok), ...errors({ 400: 'The id is wrong.', 401: 'Not logged in.' }) },
}
const logoutSchema: FastifySchema = {
  summary: 'Log a user out',
  params,
  response: { 200: answer('Logged out, or was not logged in.', SCHEMAS.ok), ...errors({ 400: 'The id is wrong.', 500: 'The files cannot be deleted.' }) },
}
const ecertSchema: FastifySchema = {
  summary: 'Enrollment certificate of a user',
  params,
  response: { 200: answer('The certificate, PEM, query-escaped.', SCHEMAS.ok), ...errors({ 400: 'Security is off, or the user is not enrolled.' }) },
}
const tcertSchema: FastifySchema = {
  summary: 'Transaction certificates of a user',
  params,
  querystring: { type: 'object', properties: { count: { type: 'integer', minimum: 0, maximum: 500, description: 'How many; 1 if absent.' } } },
  response: { 200: answer('The certificates, PEM, query-escaped.', SCHEMAS.okList), ...errors({ 400: 'The count is wrong, or security is off.' }) },
}
