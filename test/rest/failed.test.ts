import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { silentLogger } from '../kit/silent-logger.js'
import { systemClock } from '../../kernel/index.js'
import { failureLog } from '../../plugins/rest/failed.js'

test('a failed request is an ERROR line of its route; more within ten seconds are counted', async () => {
  const lines: unknown[] = []
  let nowMs = 0
  const failed = failureLog({ ...silentLogger, error: (message, facts) => lines.push([message, facts]) }, { ...systemClock, elapsedMs: () => nowMs })
  const app = fastify()
  app.get('/chain/blocks/:id', async (request, reply) => {
    failed(request, new Error('disk'))
    return reply.code(500).send()
  })
  for (const at of [0, 1, 9_999, 10_000]) {
    nowMs = at
    await app.inject({ url: `/chain/blocks/${at}` })
  }
  expect(lines).toEqual([
    ['GET /chain/blocks/:id: disk', {}],
    ['GET /chain/blocks/:id: disk', { alsoFailed: 2 }],
  ])
})
