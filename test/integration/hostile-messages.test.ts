import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  AdminService,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  ChaincodeSupportService,
  DevopsService,
  LedgerToolsService,
  OpenchainService,
  encode,
} from '../../proto/index.js'
import { bytesOf, invocation } from './support/client.js'
import { expectHealthy } from './support/health.js'
import { preparePeer, type TestPeer } from './support/peer.js'
import { randomFrom } from './support/load.js'

/** Well-framed gRPC with hostile messages in it. One peer takes it all; whoever asks gets a status and never silence. */
const SEED = Number(process.env['WEFT_SEED'] ?? 4711)

let peer: TestPeer
beforeAll(async () => {
  // Any bytes without a known field are a valid request to stop.
  peer = await preparePeer({ set: { 'admin.allowStop': 'false' } })
  await peer.start()
})
afterEach(() => expectHealthy(peer))
afterAll(() => peer.dispose())

const methods = [AdminService, DevopsService, OpenchainService, LedgerToolsService, ChaincodeSupportService].flatMap((service) =>
  Object.values(service).map(({ path, requestStream }) => ({ path, isStream: requestStream })),
)
const same = (bytes: Buffer): Buffer => bytes

/** Sends bytes as the request of a method; resolves with the gRPC status of the answer. */
function send({ path, isStream }: { path: string; isStream: boolean }, ...messages: Buffer[]): Promise<number> {
  const options = { deadline: Date.now() + 20_000 }
  return new Promise((resolve) => {
    if (!isStream) {
      peer.client.grpc.makeUnaryRequest(path, same, same, messages[0] ?? Buffer.alloc(0), options, (error) => resolve(error?.code ?? status.OK))
      return
    }
    const call = peer.client.grpc.makeBidiStreamRequest(path, same, same, options)
    call.on('error', () => undefined) // the status says it too
    call.on('status', ({ code }) => resolve(code))
    call.resume()
    for (const message of messages) call.write(message)
    call.end()
  })
}

const SILENCE: readonly number[] = [status.DEADLINE_EXCEEDED, status.UNAVAILABLE]
const unanswered = (codes: readonly number[]) => codes.filter((code) => SILENCE.includes(code))

/** Bytes that look like protobuf: fields with numbers and lengths that may or may not be true. */
function nearlyProtobuf(random: () => number): Buffer {
  const parts: Buffer[] = []
  for (let fields = 1 + Math.floor(random() * 8); fields > 0; fields--) {
    const length = Math.floor(random() * 40)
    const claimed = random() < 0.8 ? length : Math.floor(random() * 128)
    parts.push(Buffer.from([((1 + Math.floor(random() * 15)) << 3) | Math.floor(random() * 6), claimed]), randomBytes(length))
  }
  return Buffer.concat(parts)
}

test.each(methods)('random and nearly right bytes to $path are answered', async (method) => {
  const random = randomFrom(SEED)
  const messages = [
    Buffer.alloc(0),
    Buffer.alloc(1, 0xff),
    Buffer.alloc(20, 0xff),
    Buffer.alloc(100_000, 0x0a),
    ...Array.from({ length: 40 }, (_, size) => randomBytes(size)),
    ...Array.from({ length: 60 }, () => nearlyProtobuf(random)),
  ]
  expect(unanswered(await Promise.all(messages.map((message) => send(method, message, message))))).toEqual([])
})

test.each(methods.filter(({ path }) => /Devops\/(Deploy|Invoke|Query|Build)|Register/.test(path)))(
  'every truncation of a right message to $path is answered',
  async (method) => {
    const right = Buffer.from(encode(ChaincodeSpec, invocation('example02', ['query', 'a']).chaincodeSpec ?? ChaincodeSpec.fromPartial({})))
    const wrapped = Buffer.concat([Buffer.from([0x0a, right.length]), right])
    const cuts = Array.from({ length: wrapped.length }, (_, end) => wrapped.subarray(0, end))
    expect(unanswered(await Promise.all(cuts.map((cut) => send(method, cut))))).toEqual([])
  },
)

test('deeply nested messages are answered', async () => {
  let nested = Buffer.alloc(0)
  for (let depth = 0; depth < 2000; depth++) nested = Buffer.concat([Buffer.from([0x0a]), varint(nested.length), nested])
  expect(unanswered(await Promise.all(methods.map((method) => send(method, nested))))).toEqual([])
})

test('messages above the limit are refused, below it are judged', { timeout: 240_000 }, async () => {
  const over = Buffer.alloc(101 * 2 ** 20)
  expect(await send({ path: DevopsService.invoke.path, isStream: false }, over)).toBe(status.RESOURCE_EXHAUSTED)
  expect(await send({ path: ChaincodeSupportService.register.path, isStream: true }, over)).toBe(status.RESOURCE_EXHAUSTED)
  const big = invocation('example02', ['invoke', 'a', 'b', 'x'.repeat(20 * 2 ** 20)])
  const { outcome } = await peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', 'x'.repeat(2 ** 20))
  expect(outcome.status).toBe('rejected')
  expect([status.OK, status.RESOURCE_EXHAUSTED]).toContain(
    await send({ path: DevopsService.invoke.path, isStream: false }, Buffer.from(DevopsService.invoke.requestSerialize(big))),
  )
})

test('requests without what they need are refused with a text', async () => {
  const empty = ChaincodeSpec.fromPartial({})
  const nameless = invocation('', ['query', 'a'])
  const cases = [
    peer.client.call(DevopsService.invoke, { chaincodeSpec: undefined, idGenerationAlg: '' }),
    peer.client.call(DevopsService.query, { chaincodeSpec: undefined, idGenerationAlg: '' }),
    peer.client.call(DevopsService.invoke, { chaincodeSpec: empty, idGenerationAlg: '' }),
    peer.client.call(DevopsService.query, { chaincodeSpec: empty, idGenerationAlg: '' }),
    peer.client.call(DevopsService.invoke, nameless),
    peer.client.call(DevopsService.query, nameless),
    peer.client.call(DevopsService.deploy, empty),
    peer.client.call(DevopsService.deploy, ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.NODE })),
    peer.client.call(DevopsService.deploy, ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.NODE, chaincodeID: {} })),
    peer.client.call(DevopsService.build, empty),
    peer.client.call(DevopsService.invoke, { ...invocation('example02', ['invoke', 'a', 'b', '1']), idGenerationAlg: 'md5' }),
    peer.client.call(OpenchainService.getBlockByNumber, { number: 2n ** 64n - 1n }),
  ]
  for (const result of await Promise.allSettled(cases)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { details: expect.stringMatching(/^[\x20-\x7e\n]{5,}$/) } })
  }
})

test('hostile names are refused or rejected, never believed', async () => {
  const names = [
    '\0',
    'a\0b',
    '../../etc/passwd',
    'x'.repeat(1_000_000),
    '\u202e',
    '💥',
    '__proto__',
    'constructor',
    'toString',
    'consensus',
    '\ud800',
    ' ',
    '\n',
  ]
  for (const name of names) {
    await expect(peer.client.query(name, 'query', 'a')).rejects.toThrow()
    const invoked = await Promise.allSettled([peer.client.invokeAndWait(name, 'invoke', 'a', 'b', '1')])
    expect(invoked[0].status === 'rejected' || invoked[0].value.outcome.status === 'rejected', JSON.stringify(name.slice(0, 20))).toBe(true)
  }
  const accounts = ['\0', '__proto__', '', 'x'.repeat(100_000)]
  for (const account of accounts) {
    const { outcome } = await peer.client.invokeAndWait('example02', 'invoke', account, 'b', '1')
    expect(['committed', 'rejected']).toContain(outcome.status)
  }
})

test('a deploy shows nothing of files that are not chaincode', async () => {
  const secret = join(peer.directory, 'secret.ts')
  writeFileSync(secret, 'TOP SECRET { not a program')
  mkdirSync(join(peer.directory, 'folder.ts'))
  const paths = [
    '/etc/passwd',
    '/dev/zero',
    '/dev/random/x.ts',
    '/proc/self/environ',
    '/',
    '',
    'a\0.ts',
    '../../../../etc/passwd',
    secret,
    join(peer.directory, 'folder.ts'),
    `${'x'.repeat(5000)}.ts`,
    'https://example.com/x.ts',
  ]
  for (const path of paths) {
    for (const type of [ChaincodeSpec_Type.NODE, ChaincodeSpec_Type.GOLANG, 77]) {
      const spec = ChaincodeSpec.fromPartial({ chaincodeID: { path }, ctorMsg: { args: bytesOf(['init']) } })
      const deployed = peer.client.call(DevopsService.deploy, { ...spec, type })
      const text = await deployed.then(
        () => 'deployed',
        (error: Error) => error.message,
      )
      expect(text).not.toBe('deployed')
      expect(text).not.toMatch(/TOP SECRET|root:/)
    }
  }
})

test('thousands of queries to chaincode that is not there are answered', { timeout: 240_000 }, async () => {
  let answered = 0
  const ask = async (): Promise<void> => {
    for (let i = 0; i < 100; i++)
      await peer.client
        .query(`missing${i}`, 'query')
        .catch((error: Error) => void (answered += Number(error.message.includes('Could not get deployment transaction'))))
  }
  await Promise.all(Array.from({ length: 30 }, ask))
  expect(answered).toBe(3000)
})

test('calls that are abandoned in the middle are forgotten', async () => {
  for (let i = 0; i < 500; i++) {
    const call = peer.client.grpc.makeUnaryRequest(
      DevopsService.invoke.path,
      DevopsService.invoke.requestSerialize,
      same,
      invocation('example02', ['invoke', 'a', 'b', '1']),
      () => undefined,
    )
    if (i % 2 === 0) call.cancel()
    else setTimeout(() => call.cancel(), i % 7)
  }
  const verify = peer.client.grpc.makeBidiStreamRequest(LedgerToolsService.verify.path, same, same)
  verify.on('error', () => undefined) // its cancelling is meant
  verify.write(Buffer.alloc(0))
  verify.cancel()
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}
