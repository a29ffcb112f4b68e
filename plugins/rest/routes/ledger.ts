import type { FastifyInstance, FastifyReply, FastifySchema } from 'fastify'
import { messageOf } from '../../../kernel/index.js'
import {
  BLOCK_JSON,
  BLOCKCHAIN_INFO_JSON,
  BlockchainInfo,
  type JsonMessage,
  JsonWriter,
  TRANSACTION_JSON,
  encode,
  publicBlock,
  writeJsonMessage,
} from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'
import { BlockCache } from '../block-cache.js'
import { error } from '../envelope.js'
import type { Failed } from '../failed.js'
import { SCHEMAS, answer, errors } from '../json/schemas.js'

const MAX_UINT64 = 2n ** 64n - 1n
const CACHE_BYTES = 32 * 1024 * 1024
const NEWLINE = 0x0a

/** What the routes ask a ledger. */
type ChainReader = Pick<Ledger, 'info' | 'height' | 'blockBytes' | 'transactionBytes'>

/** GET /chain, /chain/blocks/:id and /transactions/:id (spec/node.md §6.3). `ledger` is asked for each time: its plugin may be replaced. */
export function ledgerRoutes(app: FastifyInstance, ledger: () => ChainReader, failed: Failed): void {
  const writer = new JsonWriter()
  const cache = new BlockCache(CACHE_BYTES)
  const json = (bytes: Uint8Array, message: JsonMessage): Buffer => {
    writer.reset() // an earlier one may have ended half-way
    writeJsonMessage(writer, bytes, message)
    writer.byte(NEWLINE)
    return writer.finish()
  }

  app.get('/chain', { schema: chainSchema }, async (_request, reply) => {
    const info = ledger().info()
    if (info.height === 0n) return reply.code(400).send(error('No blocks in blockchain.'))
    return reply.send(json(encode(BlockchainInfo, info), BLOCKCHAIN_INFO_JSON))
  })

  app.get<{ Params: { id: string } }>('/chain/blocks/:id', { schema: blockSchema }, async ({ params: { id } }, reply) => {
    const number = /^\d{1,400}$/.test(id) ? BigInt(id) : undefined
    if (number === undefined || number > MAX_UINT64) return reply.code(400).send(error('Block id must be an integer (uint64).'))
    return guarded(failed, reply, messageOf, () => {
      const chain = ledger()
      const stored = number < chain.height() ? chain.blockBytes(number) : undefined
      if (stored === undefined) return reply.code(404).send(error('openchain: resource not found'))
      return reply.send(cache.get(number, stored, () => json(publicBlock(stored), BLOCK_JSON)))
    })
  })

  app.get<{ Params: { id: string } }>('/transactions/:id', { schema: transactionSchema }, async ({ params: { id } }, reply) =>
    guarded(
      failed,
      reply,
      (cause) => `Error retrieving transaction ${id}: ${messageOf(cause)}.`,
      () => {
        const bytes = ledger().transactionBytes(id)
        if (bytes === undefined) return reply.code(404).send(error(`Transaction ${id} is not found.`))
        return reply.send(json(bytes, TRANSACTION_JSON))
      },
    ),
  )
}

/** Answers with what the store says is wrong, as v0.6 does, and tells `failed`. */
function guarded(failed: Failed, reply: FastifyReply, describe: (cause: unknown) => string, act: () => FastifyReply): FastifyReply {
  try {
    return act()
  } catch (cause) {
    failed(reply.request, cause)
    return reply.code(500).send(error(describe(cause)))
  }
}

const idParameter = (description: string) => ({ type: 'object', properties: { id: { type: 'string', description } }, required: ['id'] })

const chainSchema: FastifySchema = {
  summary: 'Height and head of the chain',
  response: { 200: answer('The chain.', SCHEMAS.chain), ...errors({ 400: 'There is no block yet.' }) },
}
const blockSchema: FastifySchema = {
  summary: 'A block',
  params: idParameter('Number of the block, from 0.'),
  response: {
    200: answer('The block; deploy transactions without their code package.', SCHEMAS.block),
    ...errors({ 400: 'The number is none.', 404: 'There is no such block.', 500: 'The store failed.' }),
  },
}
const transactionSchema: FastifySchema = {
  summary: 'A committed transaction',
  params: idParameter('Transaction id.'),
  response: {
    200: answer('The transaction; a deploy with its code package.', SCHEMAS.transaction),
    ...errors({ 404: 'There is no such transaction.', 500: 'The store failed.' }),
  },
}
