import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exchange } from '../http/http-peer.js'
import { type TestPeer, preparePeer } from './support/peer.js'

/** Per route; `WEFT_FUZZ_MS=60000` is the long run. */
const FUZZ_MS = Number(process.env['WEFT_FUZZ_MS'] ?? 300)
const GROWTH_LIMIT_MIB = 200
const PARALLEL = 8

const token = fc.constantFrom(
  'a',
  '..',
  '.',
  '%2e%2e',
  '%00',
  '%zz',
  '%2f',
  '%',
  '🙂',
  '0',
  '-1',
  '18446744073709551615',
  '9'.repeat(400),
  '"<&>',
  "'",
  '\\',
  ' ',
  '?count=1',
  '#',
  ';',
  '{}',
)
const word = fc.oneof(token, fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 2000 }))
const segment = fc.array(word, { maxLength: 4 }).map((words) => words.join(''))

const leaf = fc.oneof(
  fc.json(),
  word.map((text) => JSON.stringify(text)),
  fc.constantFrom('null', '1e400', '-0', '9223372036854775808', '[[[[', '"\\ud800"', '{"a":1,"a":2}', '"AA=="'),
)
const spec = fc
  .record({ type: leaf, chaincodeID: leaf, name: leaf, args: leaf, metadata: leaf, timeout: leaf })
  .map(({ type, chaincodeID, name, args, metadata, timeout }) => {
    const id = `{"name":${name},"path":${chaincodeID}}`
    return `{"type":${type},"chaincodeID":${id},"ctorMsg":{"args":${args}},"metadata":${metadata},"timeout":${timeout}}`
  })
const request = fc
  .record({
    method: fc.constantFrom('"deploy"', '"invoke"', '"query"', '5', 'null'),
    params: fc.oneof(spec, leaf),
    id: leaf,
    version: fc.constantFrom('"2.0"', '"1.0"', '2'),
  })
  .map(({ method, params, id, version }) => `{"jsonrpc":${version},"method":${method},"params":${params},"id":${id}}`)
const mutated = fc
  .tuple(fc.oneof(request, spec, fc.constant('{"enrollId":"jim","enrollSecret":"x"}'), leaf), fc.nat(), fc.uint8Array({ maxLength: 4 }), fc.nat(20))
  .map(([text, at, bytes, removed]) => {
    const whole = Buffer.from(text)
    const cut = at % (whole.length + 1)
    return Buffer.concat([whole.subarray(0, cut), bytes, whole.subarray(cut + removed)])
  })
const body = fc.oneof(
  request.map((text) => Buffer.from(text)),
  mutated,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)
const header = fc.constantFrom(
  '',
  'Content-Type: x\r\n',
  'Origin: null\r\n',
  'Expect: 100-continue\r\n',
  'Accept-Encoding: x\r\n',
  `X: ${'a'.repeat(3000)}\r\n`,
  'Transfer-Encoding: identity\r\n',
  'Upgrade: websocket\r\nConnection: upgrade\r\n',
)

const routes = [
  '/chain',
  '/chain/blocks/',
  '/transactions/',
  '/network/peers',
  '/chaincode',
  '/registrar',
  '/registrar/',
  '/registrar/u/ecert',
  '/registrar/u/tcert?count=',
  '/openapi.json',
  '/docs',
  '/devops/deploy',
  '/',
]

let peer: TestPeer
let host = ''
beforeAll(async () => {
  const set = { 'http.timeouts.headers': '1s', 'http.timeouts.request': '1s', 'http.timeouts.keepAlive': '300ms', 'http.timeouts.idle': '3s' }
  peer = await preparePeer({ set })
  await peer.start()
  host = peer.restBase.replace('http://', '')
})
afterAll(() => peer.dispose())

/** The peer answers as ever. Its time limits are so short here that a request on a connection of before, or on a busy machine, may meet one. */
async function answers(): Promise<void> {
  const ask = async (): Promise<unknown> => (await fetch(`${peer.restBase}/chain`, { headers: { connection: 'close' } })).json()
  await expect.poll(ask).toMatchObject({ height: expect.any(Number) })
}

/** Runs a property for a while, and then asks whether the peer is as it was. */
async function survives<T>(values: fc.Arbitrary<T>, act: (value: T) => Promise<void>): Promise<void> {
  const before = peer.memoryMiB()
  const end = performance.now() + FUZZ_MS
  do {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: PARALLEL }), async (batch) => {
        await Promise.all(batch.map(act))
      }),
      { numRuns: 1, endOnFailure: true },
    )
  } while (performance.now() < end)
  await answers()
  expect(peer.memoryMiB() - before).toBeLessThan(GROWTH_LIMIT_MIB)
}

describe('malformed requests', { timeout: FUZZ_MS + 240_000 }, () => {
  const method = fc.constantFrom('GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'TRACE', 'QUERY')
  test.each(routes)('to %s neither kill, hang nor bloat the peer', async (route) => {
    await survives(fc.tuple(method, segment, header, body), async ([name, rest, extra, bytes]) => {
      const path = `${route}${rest}`.replace(/[\r\n ]/g, '%20')
      const head = `${name} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${extra}Content-Length: ${bytes.length}\r\n\r\n`
      const answer = await exchange(host, Buffer.concat([Buffer.from(head), bytes]))
      // Never a 500 but for what the site's own store says; never an answer that is none.
      if (answer !== '') expect(answer, head).toMatch(/^HTTP\/1\.1 (1\d\d|200|400|401|403|404|405|408|413|415|417|431|501)/)
    })
  })
})

describe('sockets', { timeout: FUZZ_MS + 240_000 }, () => {
  test('that send garbage do no harm', async () => {
    await survives(fc.uint8Array({ minLength: 1, maxLength: 5000 }), async (bytes) => {
      await exchange(host, Buffer.concat([bytes, Buffer.from('\r\n\r\n')]))
    })
  })

  test('that send wrong lengths, chunks and pipelines do no harm', async () => {
    const piece = fc.constantFrom(
      'GET /chain HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /chaincode HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{"id"',
      'POST /chaincode HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      'POST /chaincode HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n',
      'POST /chaincode HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n',
      'POST /registrar HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n',
      'POST /registrar HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    )
    await survives(fc.array(piece, { minLength: 1, maxLength: 60 }), async (pieces) => {
      await exchange(host, pieces.join(''))
    })
  })

  test('that send byte by byte, and ones that never read, are cut off', async () => {
    const [name = '', port] = host.split(':')
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect(Number(port), name, () => socket.write('POST /chaincode HTTP/1.1\r\nHost: x\r\nX-'))
      const drip = setInterval(() => socket.write('a'), 100)
      socket.resume()
      socket.on('error', () => undefined)
      return new Promise<void>((resolve) =>
        socket.once('close', () => {
          clearInterval(drip)
          resolve()
        }),
      )
    })
    const deaf = Array.from({ length: 5 }, () => {
      const socket = connect(Number(port), name, () => socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500)))
      socket.pause()
      socket.on('error', () => undefined)
      return socket
    })
    await Promise.all(slow)
    for (const socket of deaf) socket.destroy()
    await answers()
  })
})
