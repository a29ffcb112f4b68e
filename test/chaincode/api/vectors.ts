import { readFileSync } from 'node:fs'
import { z } from 'zod'

const folder = new URL('../../vectors/chaincode/', import.meta.url)

/** A vector file of the original implementation, checked against a schema. */
export function vectors<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(new URL(name, folder), 'utf8')))
}

const step = z.object({
  method: z.enum(['deploy', 'invoke', 'query']),
  chaincode: z.string(),
  args: z.array(z.string()),
  rest: z.object({ status: z.string().optional(), message: z.string().optional(), data: z.string().optional() }),
  committed: z.boolean().optional(),
  blockChaincodeEvents: z.array(z.object({ eventName: z.string().optional(), payload: z.string().optional() })).optional(),
})

/** acceptance.json */
export const acceptance = () => vectors('acceptance.json', z.object({ scenarios: z.array(z.object({ scenario: z.string(), steps: z.array(step) })) })).scenarios

const sessionMessage = z.object({ stream: z.number().optional(), direction: z.string().optional(), type: z.string().optional(), hex: z.string().optional() })

/** sessions.json */
export const sessions = () =>
  vectors('sessions.json', z.object({ sessions: z.array(z.object({ id: z.string(), messages: z.array(sessionMessage) })) })).sessions

const column = z.object({ type: z.string(), valueHex: z.string().optional(), value: z.string().optional() })

/** tables.json */
export const tables = () =>
  vectors(
    'tables.json',
    z.object({
      keys: z.array(
        z.object({
          description: z.string(),
          table: z.string(),
          keyColumns: z.array(column),
          stateKeyHex: z.string().optional(),
          rangeStartHex: z.string().optional(),
          rangeEndHex: z.string().optional(),
          error: z.string().optional(),
        }),
      ),
      rows: z.array(
        z.object({
          description: z.string(),
          table: z.string().optional(),
          columns: z.array(column),
          rowHex: z.string(),
          stateKeyHex: z.string().optional(),
          error: z.string().optional(),
        }),
      ),
      tables: z.array(
        z.object({
          description: z.string(),
          name: z.string(),
          columnDefinitions: z.array(z.object({ name: z.string(), type: z.string(), key: z.boolean() })),
          stateKeyHex: z.string(),
          stateValueHex: z.string(),
        }),
      ),
    }),
  )

export type VectorColumn = z.infer<typeof column>

const context = z.object({
  transactions: z.array(
    z.object({ certDerHex: z.string(), signatureDerHex: z.string(), signedBytesHex: z.string(), attributes: z.record(z.string(), z.string()) }),
  ),
})

/** security-context.json */
export const securityContexts = () => vectors('security-context.json', context).transactions
