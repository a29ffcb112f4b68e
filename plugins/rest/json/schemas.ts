import type { JsonSchema } from './fields.js'
import { BLOCK_JSON, BLOCKCHAIN_INFO_JSON, type JsonMessage, PEERS_MESSAGE_JSON, TRANSACTION_JSON } from '../../../proto/index.js'

/** The JSON Schema of what `writeJsonMessage` writes. Members with zero or empty values are absent, so none is required. */
function messageSchema({ fields }: JsonMessage): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  for (const field of fields) {
    if (field === undefined) continue
    const schema = typeof field.kind === 'string' ? SCALARS[field.kind] : messageSchema(field.kind)
    properties[field.name] = field.isRepeated ? { type: 'array', items: schema } : schema
  }
  return { type: 'object', properties }
}

const SCALARS = {
  bytes: { type: 'string', contentEncoding: 'base64' },
  string: { type: 'string' },
  uint: { type: 'integer', minimum: 0 },
  int: { type: 'integer' },
} as const

const text: JsonSchema = { type: 'string' }
const envelope = (member: string, value: JsonSchema = text): JsonSchema => ({ type: 'object', properties: { [member]: value }, required: [member] })

/** An answer in the OpenAPI document. */
export function answer(description: string, schema: JsonSchema): object {
  return { description, content: { 'application/json': { schema } } }
}

/** Error answers by status. */
export function errors(texts: Readonly<Record<number, string>>): Record<string, object> {
  return Object.fromEntries(Object.entries(texts).map(([status, description]) => [status, answer(description, envelope('Error'))]))
}

const rpcId: JsonSchema = { type: ['string', 'integer', 'null'] }
const version: JsonSchema = { const: '2.0' }

export const SCHEMAS = {
  block: messageSchema(BLOCK_JSON),
  transaction: messageSchema(TRANSACTION_JSON),
  chain: messageSchema(BLOCKCHAIN_INFO_JSON),
  peers: messageSchema(PEERS_MESSAGE_JSON),
  ok: envelope('OK'),
  okList: envelope('OK', { type: 'array', items: text }),
  rpcSuccess: {
    type: 'object',
    properties: {
      jsonrpc: version,
      result: {
        type: 'object',
        properties: { status: { const: 'OK' }, message: { type: 'string', description: 'Name of the chaincode, transaction id, or result of the query.' } },
      },
      id: rpcId,
    },
  },
  rpcError: {
    type: 'object',
    properties: {
      jsonrpc: version,
      error: { type: 'object', properties: { code: { type: 'integer' }, message: text, data: text } },
      id: rpcId,
    },
  },
} as const
