import { createServer, type ServerHttp2Stream } from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { Load, NOTHING_SENT, together } from '../../plugins/bench/load.js'
import { isWhole } from '../../plugins/bench/report.js'
import { type Answer, InvokeConnection } from '../../plugins/bench/unary-client.js'
import { encode, Response, Response_StatusCode } from '../../proto/index.js'

const ID = 'ab'.repeat(32)
const ANSWERS: readonly Answer[] = [
  { kind: 'committed', txid: 'one' },
  { kind: 'rejected', text: 'rejected 7 no%20such%20account' },
  { kind: 'refused', retryAfterMs: 1 },
  { kind: 'unknown', text: `status 14: the outcome of request ${ID} is not known` },
  { kind: 'unsent', text: 'the connection was closed' },
  { kind: 'committed', txid: 'two' },
  { kind: 'unknown', text: `status 14: the outcome of request ${'cd'.repeat(32)} is not known` },
]

test('a load accounts for every transaction that was sent', async () => {
  const answers = [...ANSWERS]
  const acknowledged: string[] = []
  const connection = { invoke: async (): Promise<Answer> => answers.shift() ?? { kind: 'committed', txid: 'more' }, close: () => undefined }
  const load = new Load([connection], (txid) => {
    acknowledged.push(txid)
  })
  const result = await load.steady(200, () => answers.length === 0)
  expect(result).toMatchObject({ rejected: 1, refused: 1, unknown: 2, committed: acknowledged.length })
  expect(result.sent).toBe(result.committed + result.rejected + result.refused + result.unknown)
  expect(result.errors).toEqual([
    '1 times: rejected 7 no%20such%20account',
    '2 times: status 14: the outcome of request … is not known',
    '1 times: the connection was closed',
  ])
  expect(together(result, { ...NOTHING_SENT, sent: 2, unknown: 2 })).toMatchObject({ sent: result.sent + 2, unknown: 4, committed: result.committed })
})

test.each([
  { found: [10, 10], unknown: 0, whole: true },
  { found: [9, 9], unknown: 0, whole: false },
  { found: [11, 11], unknown: 0, whole: false },
  { found: [11, 11], unknown: 2, whole: true },
  { found: [13, 13], unknown: 2, whole: false },
  { found: [10, 11], unknown: 2, whole: false },
])('ten committed, $unknown unknown, in the state $found: whole is $whole', ({ found, unknown, whole }) => {
  const counts = { ...NOTHING_SENT, sent: 10 + unknown, committed: 10, unknown }
  const network = { network: 'one', validators: 2, meshMs: 1, rows: [], peakMiB: [], counts, found, errors: [] }
  expect(isWhole(network)).toBe(whole)
})

test('a client tells what an answer says, and what it does not say', async () => {
  const answered =
    (headers: Record<string, string>, status: string, more: Record<string, string> = {}) =>
    (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...headers }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status, ...more }))
      const reply = encode(Response, { status: Response_StatusCode.SUCCESS, msg: Buffer.from('tx') })
      stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, reply.length]), reply]))
    }
  const behaviours = [
    answered({ 'weft-outcome': 'committed 5 0' }, '0'),
    answered({ 'weft-outcome': 'rejected 5 because' }, '0'),
    answered({}, '8', { 'grpc-retry-pushback-ms': '12' }),
    answered({}, '14', { 'grpc-message': 'not%20known' }),
    answered({}, '0'),
    (stream: ServerHttp2Stream) => stream.close(8),
  ]
  const server = createServer()
  const waiting = [...behaviours]
  server.on('stream', (stream) => waiting.shift()?.(stream))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const connection = new InvokeConnection(`127.0.0.1:${port}`, new Uint8Array(3))
  onTestFinished(() => {
    connection.close()
    server.close()
  })
  const answers: Answer[] = []
  for (const _ of behaviours) answers.push(await connection.invoke())
  expect(answers).toEqual([
    { kind: 'committed', txid: 'tx' },
    { kind: 'rejected', text: 'rejected 5 because' },
    { kind: 'refused', retryAfterMs: 12 },
    { kind: 'unknown', text: 'status 14: not known' },
    { kind: 'unknown', text: 'answered without an outcome' },
    { kind: 'unknown', text: 'the stream ended without a status' },
  ])
  connection.close()
  expect(await connection.invoke()).toMatchObject({ kind: 'unsent' })
})
