import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  ChaincodeInvocationSpec,
  OpenchainService,
  PeerService,
  type Response,
  Response_StatusCode,
  Transaction,
  Transaction_Type,
  blockTransactions,
  encode,
} from '../../proto/index.js'
import { invocation } from './support/client.js'
import { type TestPeer, preparePeer } from './support/peer.js'
import { transactionBytes } from './support/raw-submit.js'

/** `/protos.Peer/ProcessTransaction`, as SDKs of v0.6 use it (spec/wire.md §14). */
let peer: TestPeer

beforeAll(async () => {
  peer = await preparePeer()
  await peer.start()
})
afterAll(() => peer.dispose())

const made = (type: Transaction_Type, txid: string, ...args: string[]): Uint8Array =>
  transactionBytes(type, 'example02', encode(ChaincodeInvocationSpec, invocation('example02', args)), txid)

async function send(bytes: Uint8Array): Promise<{ readonly status: string; readonly msg: string }> {
  const { status: code, msg }: Response = await peer.client.call(PeerService.processTransaction, bytes)
  return { status: Response_StatusCode[code] ?? String(code), msg: Buffer.from(msg).toString('latin1') }
}

test('a query is answered at once, a failing one with FAILURE and `Error:`', async () => {
  expect(await send(made(Transaction_Type.CHAINCODE_QUERY, 'q1', 'query', 'fresh'))).toEqual({ status: 'SUCCESS', msg: '1000000' })
  expect(await send(made(Transaction_Type.CHAINCODE_QUERY, '', 'query', 'fresh'))).toEqual({ status: 'SUCCESS', msg: '1000000' })
  expect(await send(made(Transaction_Type.CHAINCODE_QUERY, 'q1', 'query'))).toEqual({
    status: 'FAILURE',
    msg: 'Error:Transaction or query returned with failure: Incorrect number of arguments. Expecting name of the person to query',
  })
  expect((await send(Buffer.from('0803', 'hex'))).msg).toMatch(/^Error:Failed to launch chaincode spec\(/)
})

test('an invoke is accepted with its txid and executed under it; the same bytes again are not executed again', async () => {
  const { height } = await peer.client.info()
  const bytes = made(Transaction_Type.CHAINCODE_INVOKE, 'chosen-by-the-client', 'invoke', 'a', 'b', '1')
  expect(await send(bytes)).toEqual({ status: 'SUCCESS', msg: 'chosen-by-the-client' })
  await peer.untilHeight(height + 1n)
  expect((await peer.client.block(height)).transactions).toMatchObject([{ txid: 'chosen-by-the-client' }])
  expect(await send(bytes)).toEqual({ status: 'SUCCESS', msg: 'chosen-by-the-client' })
  await peer.client.invokeAndWait('example02', 'invoke', 'c', 'd', '1')
  expect(await peer.client.query('example02', 'query', 'b')).toBe('1000001')
})

test('every other type is accepted, and rejected when it is executed: a block without transactions', async () => {
  const { height } = await peer.client.info()
  expect(await send(made(Transaction_Type.CHAINCODE_TERMINATE, 't', 'x'))).toEqual({ status: 'SUCCESS', msg: 't' })
  await peer.untilHeight(height + 1n)
  expect(await peer.client.block(height)).toMatchObject({ transactions: [], nonHashData: { chaincodeEvents: [{ chaincodeID: '' }] } })
})

test('the block holds the canonical bytes: unknown fields dropped, a txid that is not UTF-8 as it was', async () => {
  const { height } = await peer.client.info()
  const bytes = Buffer.from(made(Transaction_Type.CHAINCODE_INVOKE, 'PLACEHOLDER', 'invoke', 'e', 'f', '1'))
  bytes.write('\xff\xfe', bytes.indexOf('PLACEHOLDER'), 'latin1')
  expect(await send(Buffer.concat([Buffer.from('9a060155', 'hex'), bytes]))).toEqual({ status: 'SUCCESS', msg: '\xff\xfeACEHOLDER' })
  await peer.untilHeight(height + 1n)
  const block = await new Promise<Buffer>((resolve, reject) => {
    const { path, requestSerialize } = OpenchainService.getBlockByNumber
    const same = (value: Buffer): Buffer => value
    peer.client.grpc.makeUnaryRequest(path, requestSerialize, same, { number: height }, (error, value) => (value ? resolve(value) : reject(error)))
  })
  expect(blockTransactions(block).map((each) => Buffer.from(each).equals(bytes))).toEqual([true])
})

test('what is no transaction, or has no txid, is refused', async () => {
  expect(await send(encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE })))).toEqual({
    status: 'FAILURE',
    msg: 'the transaction has no txid',
  })
  await expect(send(Buffer.from('0a03', 'hex'))).rejects.toMatchObject({ code: status.INTERNAL })
  expect(await peer.client.status()).toBe('STARTED')
})
