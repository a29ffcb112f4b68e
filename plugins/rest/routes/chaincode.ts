import type { FastifyInstance, FastifySchema } from 'fastify'
import { SCHEMAS, answer } from '../json/schemas.js'
import { RPC_ERRORS, refusal } from '../rpc/answers.js'
import { type RpcParts, answerRpc } from '../rpc/methods.js'
import { requestSchema } from '../rpc/request.js'

/** POST /chaincode: JSON-RPC 2.0 (spec/node.md §6.4). */
export function chaincodeRoutes(app: FastifyInstance, parts: RpcParts): void {
  app.post<{ Body: unknown }>(
    '/chaincode',
    {
      schema,
      // The body could not be read: too large, cut off, of the wrong length.
      errorHandler: (cause, _request, reply) => {
        if (cause.statusCode === undefined) throw cause // not about the body
        const { body } = refusal(cause.statusCode, RPC_ERRORS.internal, 'Internal JSON-RPC error when reading request body.', undefined)
        void reply.code(cause.statusCode).send(Buffer.from(body))
      },
    },
    async ({ body, ip }, reply) => {
      const answered = await answerRpc(body instanceof Uint8Array ? body : new Uint8Array(0), parts, { host: ip.replace(/^::ffff:/i, '') })
      if (answered.retryAfter !== undefined) void reply.header('Retry-After', answered.retryAfter)
      return reply.code(answered.status).send(Buffer.from(answered.body))
    },
  )
}

const refused = (description: string) => answer(description, SCHEMAS.rpcError)

const schema: FastifySchema = {
  summary: 'Deploy, invoke or query a chaincode (JSON-RPC 2.0)',
  description:
    'Member names match in any case; unknown members are passed over; there are no batches. Without an id the request is a notification: it is carried out, and answered 200 with nothing. Success of deploy and invoke means accepted for ordering, not executed.',
  body: requestSchema(),
  response: {
    200: answer('The result, or an error of the method.', { oneOf: [SCHEMAS.rpcSuccess, SCHEMAS.rpcError] }),
    400: refused('Not a request.'),
    404: refused('The method is unknown.'),
    413: refused('The body is too large.'),
  },
}
