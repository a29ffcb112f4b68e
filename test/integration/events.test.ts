import { status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  Block,
  ChaincodeDeploymentSpec,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  DevopsService,
  EventType,
  Transaction_Type,
  decode,
  encode,
} from '../../proto/index.js'
import { blockHash } from '../../plugins/ledger/index.js'
import { bytesOf } from './support/client.js'
import { EventConsumer, blocks, chaincodeEvents, rejections } from './support/event-consumer.js'
import { goChaincodes } from './support/go-chaincodes.js'
import { GoShim } from './support/go-shim.js'
import { type TestPeer, preparePeer, until } from './support/peer.js'

/** The event hub as consumers of v0.6 see it, and its replay (spec/node.md §7). */
let peer: TestPeer
const shims: GoShim[] = []
const consumers: EventConsumer[] = []

beforeAll(async () => {
  peer = await preparePeer({ flags: ['--peer-chaincodedev'] })
  await peer.start()
  const { eventsender } = goChaincodes
  if (eventsender === undefined) throw new Error('no such chaincode')
  shims.push(await GoShim.start(peer.address, 'sender', eventsender))
  await peer.client.deployNamed('sender', 'init')
  // Gives its event, and fails.
  const failing = {
    ...eventsender,
    invoke: async (...call: Parameters<typeof eventsender.invoke>) => eventsender.invoke(...call).then(() => Promise.reject(new Error('on purpose'))),
  }
  shims.push(await GoShim.start(peer.address, 'failing', failing))
  await peer.client.deployNamed('failing', 'init')
})
afterEach(() => consumers.splice(0).forEach((each) => each.close()))
afterAll(async () => {
  for (const shim of shims) shim.kill()
  await peer.dispose()
})

function connect(metadata?: Readonly<Record<string, string>>): EventConsumer {
  const consumer = new EventConsumer(peer.eventsAddress, metadata)
  consumers.push(consumer)
  return consumer
}

const kinds = (consumer: EventConsumer) => consumer.events.map(({ $case }) => $case)
const move = () => peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')

test('registrations are echoed as they are, failed ones too, and add up', async () => {
  const consumer = connect()
  await consumer.register(blocks, blocks, { eventType: EventType.REGISTER, RegInfo: undefined }, chaincodeEvents(''))
  expect(consumer.of('register')[0]?.value.events).toEqual([blocks, blocks, { eventType: 0, RegInfo: undefined }, chaincodeEvents('')])
  await consumer.register(rejections)
  await move()
  await consumer.until(1)
  await peer.client.invokeAndWait('example02', 'invoke', 'a')
  await consumer.until(3)
  expect(kinds(consumer)).toEqual(['block', 'rejection', 'block'])
  consumer.send({ $case: 'unregister', value: { events: [rejections] } })
  await until('the echo', () => consumer.of('unregister').length === 1)
  consumer.send(undefined)
  await peer.client.invokeAndWait('example02', 'invoke', 'a')
  await consumer.until(4)
  expect(kinds(consumer).slice(3)).toEqual(['block'])
  expect(consumer.events.every(({ position }) => position === '')).toBe(true)
})

test.each([
  ['block', 'Block', { $case: 'block', value: Block.fromPartial({}) }],
  ['chaincode event', 'ChaincodeEvent', { $case: 'chaincodeEvent', value: { chaincodeID: 'x', txID: '', eventName: '', payload: new Uint8Array(0) } }],
  ['rejection', 'Rejection', { $case: 'rejection', value: { tx: undefined, errorMsg: 'x' } }],
] as const)('a %s from a consumer ends its stream', async (_, type, event) => {
  const consumer = connect()
  consumer.send(event)
  expect(await consumer.ended).toEqual({ code: status.UNKNOWN, details: `Invalide type from client *protos.Event_${type}` })
})

test('the events of one block come in order: rejections, the block, chaincode events, also those of failed transactions', async () => {
  const consumer = await connect().register(rejections, blocks, chaincodeEvents('sender', 'evtsender'), chaincodeEvents('failing'))
  const other = await connect().register(chaincodeEvents('sender', 'another name'))
  const { txid } = await peer.client.invokeAndWait('failing', 'x')
  await consumer.until(3)
  expect(kinds(consumer)).toEqual(['rejection', 'block', 'chaincodeEvent'])
  expect(consumer.of('rejection')[0]?.value).toMatchObject({
    tx: { txid, type: Transaction_Type.CHAINCODE_INVOKE },
    errorMsg: 'Transaction or query returned with failure: on purpose',
  })
  expect(consumer.of('block')[0]?.value).toMatchObject({ transactions: [], nonHashData: { chaincodeEvents: [{ chaincodeID: 'failing' }] } })
  expect(consumer.of('chaincodeEvent')[0]?.value).toMatchObject({ chaincodeID: 'failing', txID: txid, eventName: 'evtsender' })
  await peer.client.invokeAndWait('sender', 'x')
  await consumer.until(5)
  expect(kinds(consumer).slice(3)).toEqual(['block', 'chaincodeEvent'])
  expect(other.events).toEqual([])
})

test('registered for a name and for every name, a consumer gets the event twice', async () => {
  const consumer = await connect().register(chaincodeEvents('sender', ''), chaincodeEvents('sender', 'evtsender'))
  await peer.client.invokeAndWait('sender', 'x')
  await peer.client.invokeAndWait('sender', 'y')
  await consumer.until(4)
  expect(consumer.of('chaincodeEvent').map(({ value }) => Buffer.from(value.payload).toString().slice(-1))).toEqual(['1', '1', '2', '2'])
})

test('a block event is the stored block with its nonHashData, deploys without their code', async () => {
  const consumer = await connect().register(blocks)
  const { height } = await peer.client.info()
  await move()
  await consumer.until(1)
  const { currentBlockHash } = await peer.client.info()
  const [block] = consumer.of('block')
  expect(Buffer.from(blockHash(encode(Block, Block.fromPartial(block?.value ?? {}))))).toEqual(Buffer.from(currentBlockHash))
  expect(block?.value).toEqual(await peer.client.block(height))
  expect(block?.value.nonHashData?.localLedgerCommitTimestamp?.seconds).toBeGreaterThan(0n)
  const spec = ChaincodeSpec.fromPartial({ type: ChaincodeSpec_Type.GOLANG, chaincodeID: { name: 'nobody' }, ctorMsg: { args: bytesOf(['init']) } })
  await peer.client.call(DevopsService.deploy, spec)
  await consumer.until(2)
  for (const { payload, type } of consumer.of('block')[1]?.value.transactions ?? []) {
    if (type === Transaction_Type.CHAINCODE_DEPLOY) expect(decode(ChaincodeDeploymentSpec, payload).codePackage).toHaveLength(0)
  }
})

test('a replay begins at any block and goes on live, without gap or repeat', async () => {
  const consumer = connect({ 'weft-from-block': '0' })
  await consumer.register(blocks, chaincodeEvents('failing'), rejections)
  const moves = Promise.all(Array.from({ length: 20 }, move))
  const { height } = await peer.client.info()
  await moves
  await peer.client.invokeAndWait('failing', 'z')
  await until('the last block', () => consumer.of('rejection').length >= 1 && consumer.events.at(-1)?.$case === 'chaincodeEvent')
  const numbers = consumer.of('block').map(({ position }) => Number(position))
  expect(numbers).toEqual(numbers.map((_, index) => index))
  expect(numbers.length).toBeGreaterThan(Number(height))
  const last = numbers.length - 1
  expect(consumer.events.slice(-3).map(({ position }) => position)).toEqual([`${last}.r0`, `${last}`, `${last}.c0`])

  const resumed = connect({ 'weft-after': `${last}` })
  await resumed.register(blocks, chaincodeEvents('failing'), rejections)
  await move()
  await resumed.until(2)
  expect(resumed.events.map(({ position }) => position)).toEqual([`${last}.c0`, `${last + 1}`])
})

test('where a replay cannot begin, the stream ends and says why', async () => {
  const { height } = await peer.client.info()
  expect(await connect({ 'weft-from-block': String(height + 5n) }).ended).toEqual({
    code: status.OUT_OF_RANGE,
    details: `expected a block up to ${height}, which comes next, found ${height + 5n}`,
  })
  expect((await connect({ 'weft-from-block': '-1' }).ended).code).toBe(status.INVALID_ARGUMENT)
  expect((await connect({ 'weft-after': '1.x2' }).ended).code).toBe(status.INVALID_ARGUMENT)
})

test('the end of the consumer’s side ends the stream', async () => {
  const consumer = await connect().register(blocks)
  consumer.stream.end()
  expect((await consumer.ended).code).toBe(status.OK)
})
