import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Event, EventsService, encode } from '../../proto/index.js'
import { EventConsumer, blocks, chaincodeEvents, rejections } from './support/event-consumer.js'
import { expectHealthy } from './support/health.js'
import { randomFrom } from './support/load.js'
import { type TestPeer, preparePeer, until } from './support/peer.js'
import { openCall, openHttp2 } from './support/sockets.js'

/** Consumers of the event hub that do not behave, beside one that does. */
let peer: TestPeer
const consumers: EventConsumer[] = []
beforeAll(async () => {
  peer = await preparePeer({ set: { 'peer.validator.events.maxconsumers': '600' } })
  await peer.start()
})
afterEach(async () => {
  for (const consumer of consumers.splice(0)) consumer.close()
  await expectHealthy(peer)
})
afterAll(() => peer.dispose())

function connect(metadata?: Readonly<Record<string, string>>): EventConsumer {
  const consumer = new EventConsumer(peer.eventsAddress, metadata)
  consumers.push(consumer)
  return consumer
}

/** Large transactions: argument and rejection take so many bytes each. */
const move = (padding = 0) => peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1', ...(padding > 0 ? ['x'.repeat(padding)] : []))

test('a consumer that never reads is dropped and told why; one that reads gets everything meanwhile', { timeout: 240_000 }, async () => {
  const reading = await connect().register(blocks, rejections)
  const silent = await connect().register(blocks, rejections)
  silent.stream.pause()
  const { height } = await peer.client.info()
  let sent = 0
  await until(
    'the silent one is dropped',
    async () => {
      await Promise.all(Array.from({ length: 4 }, () => move(20_000)))
      sent += 4
      return peer.program.stderr.includes('dropped an event consumer')
    },
    200_000,
  )
  silent.stream.resume()
  expect(await silent.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('this consumer reads too slowly') })
  const { height: after } = await peer.client.info()
  await until('all rejections', () => reading.of('rejection').length === sent)
  expect(reading.of('block')).toHaveLength(Number(after - height))
})

test('500 consumers that do not read take bounded memory, and nobody waits for them', { timeout: 240_000 }, async () => {
  const reading = await connect().register(blocks)
  const before = peer.memoryMiB()
  const many = await Promise.all(Array.from({ length: 500 }, () => connect().register(blocks, rejections)))
  for (const { stream } of many) stream.pause()
  const connected = peer.memoryMiB()
  const { height } = await peer.client.info()
  for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 4 }, () => move(10_000)))
  const { height: after } = await peer.client.info()
  await until('every block', () => reading.of('block').length === Number(after - height))
  const used = peer.memoryMiB()
  process.stdout.write(`memory: ${before.toFixed()} MiB, with 500 consumers ${connected.toFixed()}, that do not read ${used.toFixed()}\n`)
  // Each may hold what is on its way to it; what waits is shared.
  expect(used).toBeLessThan(600)
})

test('beyond the limit a consumer is refused, and admitted when others have gone', async () => {
  for (let count = 0; count < 600; count++) connect()
  await Promise.all(consumers.map((each) => each.register(blocks)))
  expect(await connect().ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('peer.validator.events.maxconsumers') })
  for (const consumer of consumers.splice(0)) consumer.close()
  await until('room', async () => {
    const consumer = connect()
    consumer.send({ $case: 'register', value: { events: [blocks] } })
    const refused = await Promise.race([
      consumer.ended.then(() => true),
      until('the echo', () => consumer.seen.length > 0).then(
        () => false,
        () => true,
      ),
    ])
    return !refused
  })
})

test('who sends without reading is not read any further', { timeout: 240_000 }, async () => {
  const consumer = connect()
  consumer.stream.pause()
  const interests = Array.from({ length: 900 }, (_, index) => chaincodeEvents(`chaincode ${index}`))
  const message = encode(Event, { Event: { $case: 'unregister', value: { events: interests } } })
  const before = peer.memoryMiB()
  for (let sent = 0; sent < 4000; sent++) consumer.stream.write(message)
  await move()
  expect(peer.memoryMiB() - before).toBeLessThan(150)
})

test('a thousand and one interests are too many', async () => {
  const consumer = connect()
  consumer.send({ $case: 'register', value: { events: Array.from({ length: 1001 }, (_, index) => chaincodeEvents(`c${index}`)) } })
  expect(await consumer.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'a consumer may have 1000 interests, this would make 1001' })
})

/** Longer with WEFT_FUZZ_MS. */
test('random streams end with a status, and the peer lives', { timeout: 300_000 }, async () => {
  const random = randomFrom(Number(process.env['WEFT_FUZZ_SEED'] ?? 7))
  const pick = <T>(...choices: readonly [T, ...T[]]): T => choices[Math.floor(random() * choices.length)] ?? choices[0]
  const register = encode(Event, { Event: { $case: 'register', value: { events: [blocks, chaincodeEvents('example02')] } } })
  const end = performance.now() + Number(process.env['WEFT_FUZZ_MS'] ?? 2000)
  let session = openHttp2(peer.eventsAddress)
  while (performance.now() < end) {
    // Node closes connections that reset very many streams.
    if (session.destroyed || session.closed) session = openHttp2(peer.eventsAddress)
    const metadata = pick<Record<string, string>>(
      {},
      { 'weft-from-block': pick('0', 'next', '99999999999999999999', 'x', '') },
      { 'weft-after': pick('0', '1.c3', '18446744073709551615.r9', '.', '1.c99999999999') },
    )
    const stream = openCall(session, EventsService.chat.path, metadata)
    for (let messages = Math.floor(random() * 5); messages >= 0; messages--) {
      const body = Buffer.from(pick<Uint8Array>(register, randomBytes(Math.floor(random() * 200)), mutated(register, random), new Uint8Array(0)))
      const header = Buffer.alloc(5)
      header.writeUInt8(pick(0, 0, 0, 1), 0)
      header.writeUInt32BE(pick(body.length, body.length, body.length, Math.floor(random() * 2 ** 32)), 1)
      stream.write(Buffer.concat([header, body]))
    }
    pick(
      () => stream.end(),
      () => stream.close(),
      () => stream.destroy(),
      () => undefined,
    )()
    await new Promise((resolve) => setTimeout(resolve, random() * 3))
    if (!stream.closed) stream.close()
  }
  session.destroy()
})

function mutated(bytes: Uint8Array, random: () => number): Buffer {
  const changed = Buffer.from(bytes)
  changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256)
  return changed
}
