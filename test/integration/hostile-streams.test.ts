import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ChaincodeMessage_Type as T, ChaincodeSpec, ChaincodeSpec_Type, DevopsService, PutStateInfo, RangeQueryState, encode } from '../../proto/index.js'
import { bytesOf, TestClient } from './support/client.js'
import { expectHealthy } from './support/health.js'
import { preparePeer, type TestPeer } from './support/peer.js'
import { pause } from './support/program.js'
import { ScriptedChaincode } from './support/scripted-chaincode.js'

/** Chaincode streams that break the protocol. One peer, in development mode, where anybody may register, takes it all. */
let peer: TestPeer
beforeAll(async () => {
  peer = await preparePeer({ flags: ['--peer-chaincodedev'], set: { 'chaincode.executetimeout': '2000' } })
  await peer.start()
})
afterEach(() => expectHealthy(peer))
afterAll(() => peer.dispose())

const UNKNOWN = 2
const put = encode(PutStateInfo, { key: Buffer.from('key'), value: Buffer.from('value') })
const open = () => new ScriptedChaincode(peer.client)
let names = 0
const freshName = () => `scripted${names++}`

/** Deploys under a registered name; resolves when the deploy has been executed. */
async function deploy(name: string): Promise<void> {
  const { height } = await peer.client.info()
  const spec = ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.GOLANG, chaincodeID: { name }, ctorMsg: { args: bytesOf(['init']) } })
  await peer.client.call(DevopsService.deploy, spec)
  await peer.untilHeight(height + 1n)
}

/** A registered and deployed chaincode whose answers to transactions and queries a test gives. */
async function deployed(
  answer: (chaincode: ScriptedChaincode, txid: string, type: T) => void,
): Promise<{ readonly name: string; readonly chaincode: ScriptedChaincode }> {
  const name = freshName()
  const chaincode = await open().registered(name)
  chaincode.onMessage = ({ type, txid }) => {
    if (type === T.INIT) chaincode.send(T.COMPLETED, txid)
    else if (type === T.TRANSACTION || type === T.QUERY) answer(chaincode, txid, type)
  }
  await deploy(name)
  return { name, chaincode }
}

test.each([
  ['COMPLETED', T.COMPLETED],
  ['PUT_STATE', T.PUT_STATE],
  ['GET_STATE', T.GET_STATE],
  ['READY', T.READY],
  ['REGISTERED', T.REGISTERED],
  ['TRANSACTION', T.TRANSACTION],
  ['RESPONSE', T.RESPONSE],
])('%s before REGISTER ends the stream with a text', async (_, type) => {
  const chaincode = open()
  chaincode.send(type, 'x', put)
  const { code, details } = await chaincode.ended
  expect(code).toBe(UNKNOWN)
  expect(details).not.toBe('')
})

test.each([
  ['READY', T.READY],
  ['INIT', T.INIT],
  ['TRANSACTION', T.TRANSACTION],
  ['COMPLETED', T.COMPLETED],
  ['PUT_STATE', T.PUT_STATE],
  ['a second REGISTER', T.REGISTER],
])('%s after REGISTER and before INIT ends the stream with a text', async (_, type) => {
  const chaincode = await open().registered(freshName())
  chaincode.send(type, 'x', put)
  const { code, details } = await chaincode.ended
  expect(code).toBe(UNKNOWN)
  expect(details).toContain('Error handling message, ending stream')
})

test.each([
  ['no name', ''],
  ['a name with a NUL', 'a\0b'],
  ['a name of 100,000 letters', 'x'.repeat(100_000)],
  ['the name of a system chaincode', 'example02'],
])('%s cannot be registered', async (_, name) => {
  const chaincode = open()
  chaincode.register(name)
  expect(await chaincode.ended).toMatchObject({ code: UNKNOWN })
})

test('a second registration of a name is refused, and the first one stays', async () => {
  const { name, chaincode } = await deployed((self, txid) => self.send(T.QUERY_COMPLETED, txid, Buffer.from('first')))
  const second = open()
  second.register(name)
  expect(await second.ended).toMatchObject({ code: UNKNOWN, details: expect.stringContaining(`Duplicate chaincodeID error`) })
  expect(await peer.client.query(name, 'query')).toBe('first')
  chaincode.stream.cancel()
})

test('a message of an unknown type ends the stream with a text', async () => {
  const chaincode = open()
  chaincode.stream.write(Buffer.from([0x08, 99]))
  expect(await chaincode.ended).toMatchObject({ code: UNKNOWN, details: expect.stringContaining('Error handling message') })
})

test('random bytes end the stream with a status', async () => {
  for (let size = 1; size < 400; size += 40) {
    const chaincode = open()
    chaincode.stream.write(randomBytes(size))
    chaincode.stream.end()
    expect((await chaincode.ended).code).not.toBe(0)
  }
})

test('100,000 KEEPALIVE and 100,000 requests for transactions that do not exist, unread, take no memory', { timeout: 240_000 }, async () => {
  const client = new TestClient(peer.address)
  const chaincode = await new ScriptedChaincode(client).registered(freshName())
  chaincode.stream.pause()
  for (let i = 0; i < 100_000; i++) {
    chaincode.send(T.KEEPALIVE)
    chaincode.send(T.INVOKE_QUERY, `no such transaction ${i}`, Buffer.alloc(100))
    if (i % 1000 === 0) await pause(1)
  }
  await expectHealthy(peer)
  client.close()
  chaincode.stream.cancel()
})

test('500 streams that register and vanish leave nothing behind', async () => {
  const prefix = freshName()
  for (let round = 0; round < 5; round++) {
    const streams = await Promise.all(Array.from({ length: 100 }, (_, i) => open().registered(`${prefix}-${i}`)))
    for (const { stream } of streams) stream.cancel()
    await Promise.all(streams.map(({ ended }) => ended))
    await pause(50)
  }
})

test('a chaincode that never answers costs its caller the time limit and nobody else anything', async () => {
  const { name, chaincode } = await deployed(() => undefined)
  await expect(peer.client.query(name, 'query')).rejects.toThrow('Timeout expired')
  const { outcome } = await peer.client.invokeAndWait(name, 'invoke')
  expect(outcome).toMatchObject({ status: 'rejected', rest: expect.stringContaining('Timeout expired') })
  chaincode.stream.cancel()
})

test('a chaincode that dies in the middle of a transaction has its writes undone', async () => {
  const { name } = await deployed((self, txid, type) => {
    if (type !== T.TRANSACTION) return
    self.send(T.PUT_STATE, txid, put)
    setTimeout(() => self.stream.cancel(), 50)
  })
  const { outcome } = await peer.client.invokeAndWait(name, 'invoke')
  expect(outcome.status).toBe('rejected')
})

test('answers of strange kinds are judged, and the peer lives', async () => {
  const answers: ((self: ScriptedChaincode, txid: string) => void)[] = [
    (self, txid) => self.send(T.COMPLETED, `${txid}?`),
    (self, txid) => self.send(T.QUERY_COMPLETED, txid, Buffer.from('no query')),
    (self, txid) => self.send(T.REGISTER, txid),
    (self, txid) => self.send(T.PUT_STATE, txid, randomBytes(50)),
    (self, txid) => self.send(T.RANGE_QUERY_STATE_NEXT, txid, randomBytes(50)),
    (self, txid) => self.send(T.INVOKE_CHAINCODE, txid, randomBytes(50)),
    (self, txid) => self.stream.write(Buffer.concat([Buffer.from([8, 3]), Buffer.from(txid), randomBytes(30)])),
    (self, txid) => {
      for (let i = 0; i < 20_000; i++) self.send(T.PUT_STATE, txid, encode(PutStateInfo, { key: Buffer.from(`k${i}`), value: Buffer.alloc(100) }))
      self.send(T.COMPLETED, txid)
    },
    (self, txid) => {
      for (let i = 0; i < 5000; i++) self.send(T.RANGE_QUERY_STATE, txid, encode(RangeQueryState, { startKey: Buffer.from(''), endKey: Buffer.from('') }))
      self.send(T.COMPLETED, txid)
    },
  ]
  for (const answer of answers) {
    const { name, chaincode } = await deployed((self, txid, type) => type === T.TRANSACTION && answer(self, txid))
    const result = await peer.client.invokeAndWait(name, 'invoke')
    expect(['committed', 'rejected']).toContain(result.outcome.status)
    chaincode.stream.cancel()
    await expectHealthy(peer)
  }
}, 240_000)
