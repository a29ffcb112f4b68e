import { Client, type ClientDuplexStream, Server, ServerCredentials, credentials, type StatusObject } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../kernel/index.js'
import { AwaitedChaincodes } from '../../../plugins/chaincode/peer/awaited.js'
import { admission, createRegisterService, registerServiceDefinition } from '../../../plugins/chaincode/peer/stream/register-service.js'
import {
  ChaincodeID,
  ChaincodeMessage,
  ChaincodeMessage_Type as T,
  ChaincodeSupportService,
  type Encodable,
  PutStateInfo,
  decode,
  encode,
  openStream,
} from '../../../proto/index.js'
import { type Bench, bench, bytes, deploy, invoke, query, silentLog, text, turn } from './kit.js'

const NO_BYTES = new Uint8Array(0)

/** A chaincode as v0.6's shim speaks: one request at a time, arguments from the security context. */
class ShimClient {
  readonly received: ChaincodeMessage[] = []
  readonly status: Promise<StatusObject>
  private readonly stream: ClientDuplexStream<Encodable<ChaincodeMessage>, ChaincodeMessage>
  private readonly answers = new Map<string, (message: ChaincodeMessage) => void>()

  constructor(
    client: Client,
    private readonly invoke: (shim: ShimClient, message: ChaincodeMessage, args: Uint8Array[]) => Promise<Uint8Array>,
  ) {
    this.stream = openStream(client, ChaincodeSupportService.register)
    this.status = new Promise((resolve) => this.stream.on('status', resolve))
    this.stream.on('error', () => undefined) // the status says why
    this.stream.on('data', (message: ChaincodeMessage) => this.receive(message))
  }

  register(name: string): void {
    this.send(T.REGISTER, '', encode(ChaincodeID, { path: '', name }))
  }

  send(type: T, txid: string, payload: Uint8Array = NO_BYTES): void {
    this.stream.write({ type, timestamp: undefined, payload, txid, securityContext: undefined, chaincodeEvent: undefined })
  }

  ask(type: T, txid: string, payload: Uint8Array): Promise<ChaincodeMessage> {
    return new Promise((resolve) => {
      this.answers.set(txid, resolve)
      this.send(type, txid, payload)
    })
  }

  end(): void {
    this.stream.end()
  }

  cancel(): void {
    this.stream.cancel()
  }

  private receive(message: ChaincodeMessage): void {
    this.received.push(message)
    const { type, txid } = message
    if (type === T.RESPONSE || type === T.ERROR) return this.answers.get(txid)?.(message)
    if (type !== T.INIT && type !== T.TRANSACTION && type !== T.QUERY) return
    const isQuery = type === T.QUERY
    this.invoke(this, message, [message.securityContext?.payload ?? NO_BYTES]).then(
      (result) => this.send(isQuery ? T.QUERY_COMPLETED : T.COMPLETED, txid, result),
      (cause: unknown) => this.send(isQuery ? T.QUERY_ERROR : T.ERROR, txid, bytes(String(cause))),
    )
  }
}

/** Adds one to a counter, five round trips an invoke. */
const counter = async (shim: ShimClient, { type, txid }: ChaincodeMessage): Promise<Uint8Array> => {
  const { payload } = await shim.ask(T.GET_STATE, txid, bytes('n'))
  if (type === T.QUERY) return payload
  const next = bytes(String(Number(text(payload) || '0') + 1))
  await shim.ask(T.GET_STATE, txid, bytes('m'))
  await shim.ask(T.PUT_STATE, txid, encode(PutStateInfo, { key: bytes('m'), value: next }))
  await shim.ask(T.PUT_STATE, txid, encode(PutStateInfo, { key: bytes('n'), value: next }))
  return NO_BYTES
}

describe('the Register service over gRPC', () => {
  let server: Server
  let kit: Bench
  let client: Client
  const log: string[] = []

  beforeEach(async () => {
    kit = bench({}, { mode: 'dev' })
    server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
    server.addService(
      registerServiceDefinition,
      createRegisterService({
        clock: systemClock,
        log: silentLog(log),
        admit: admission({
          running: kit.peer.runningChaincodes,
          awaited: new AwaitedChaincodes(),
          mayRegister: (name) => kit.peer.whyNotRegister(name),
        }),
        keepaliveMs: 0,
        registerTimeoutMs: 30_000,
        maxStreams: 2,
      }),
    )
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    )
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 })
  })

  afterEach(() => {
    client.close()
    server.forceShutdown()
  })

  const registered = async (name: string) => {
    while (!kit.peer.running().includes(name)) await turn()
  }
  const gone = async (name: string) => {
    while (kit.peer.running().includes(name)) await turn()
  }

  it('runs deploys, invokes and queries of a v0.6 chaincode', async () => {
    const shim = new ShimClient(client, counter)
    shim.register('cc')
    await registered('cc')
    const executed = await kit.block(deploy('cc', ['init']), invoke('cc', 't1', 'x'), invoke('cc', 't2', 'x'))
    expect(executed.map(({ result }) => result.error)).toEqual([undefined, undefined, undefined])
    expect(text(await kit.peer.query(query('cc', 'q', 'x')))).toBe('3')
    expect(shim.received.every(({ type, securityContext }) => ![T.INIT, T.TRANSACTION, T.QUERY].includes(type) || securityContext !== undefined)).toBe(true)
  })

  it('passes values of 6 MiB both ways', async () => {
    const big = new Uint8Array(6 << 20).fill(7)
    const shim = new ShimClient(client, async (self, { type, txid }) => {
      if (type === T.QUERY) return (await self.ask(T.GET_STATE, txid, bytes('big'))).payload
      await self.ask(T.PUT_STATE, txid, encode(PutStateInfo, { key: bytes('big'), value: big }))
      return NO_BYTES
    })
    shim.register('cc')
    await registered('cc')
    await kit.block(deploy('cc', ['init']))
    expect(Buffer.compare(await kit.peer.query(query('cc', 'q')), big)).toBe(0)
  })

  it('answers a half-close with status 11 EOF and forgets the chaincode', async () => {
    const shim = new ShimClient(client, counter)
    shim.register('cc')
    await registered('cc')
    shim.end()
    expect(await shim.status).toMatchObject({ code: 11, details: 'EOF' })
    expect(kit.peer.running()).toEqual([])
  })

  it('fails a transaction at once when the process dies, and lets the next one register', async () => {
    const shim: ShimClient = new ShimClient(client, async (self, { type }) => {
      if (type === T.TRANSACTION) self.cancel()
      return type === T.TRANSACTION ? new Promise(() => undefined) : NO_BYTES
    })
    shim.register('cc')
    await registered('cc')
    const executed = await kit.block(deploy('cc', ['init']), invoke('cc', 't1'))
    expect(executed[1]?.result.error).toContain('chaincode cc went away before it answered')
    await gone('cc')
    const again = new ShimClient(client, counter)
    again.register('cc')
    await registered('cc')
    expect((await kit.block(invoke('cc', 't2')))[0]?.result.error).toBeUndefined()
  })

  it('ends a duplicate with status 2 and the text of v0.6', async () => {
    new ShimClient(client, counter).register('cc')
    await registered('cc')
    const second = new ShimClient(client, counter)
    second.register('cc')
    expect(await second.status).toMatchObject({
      code: 2,
      details: 'Error handling message, ending stream: transition canceled with error: Duplicate chaincodeID error: name:"cc" ',
    })
    expect(kit.peer.running()).toEqual(['cc'])
  })

  it('limits the streams that are open, and counts those that ended no more', async () => {
    const [first, second] = [new ShimClient(client, counter), new ShimClient(client, counter)]
    first.register('a')
    second.register('b')
    await registered('b')
    const third = new ShimClient(client, counter)
    third.register('c')
    expect(await third.status).toMatchObject({ code: 8, details: '2 chaincode streams are open already' })
    first.end()
    await first.status
    const fourth = new ShimClient(client, counter)
    fourth.register('d')
    await registered('d')
  })

  it('survives a chaincode that asks thousands of times without waiting', async () => {
    const requests = 1000
    const shim = new ShimClient(client, async (self, { type, txid }) => {
      if (type !== T.TRANSACTION) return NO_BYTES
      const before = self.received.length
      for (let index = 0; index < requests; index++) self.send(T.GET_STATE, txid, bytes('k'))
      while (self.received.length < before + requests) await turn(1)
      return NO_BYTES
    })
    shim.register('cc')
    await registered('cc')
    const executed = await kit.block(deploy('cc', ['init']), invoke('cc', 't1'))
    expect(executed[1]?.result.error).toBeUndefined()
    expect(shim.received.filter(({ type }) => type === T.RESPONSE)).toHaveLength(requests)
  })

  it('is left alone by bytes that are no message', async () => {
    const stream = client.makeBidiStreamRequest(
      '/protos.ChaincodeSupport/Register',
      (value: Buffer) => value,
      (value) => decode(ChaincodeMessage, value),
    )
    const status = new Promise<StatusObject>((resolve) => stream.on('status', resolve))
    stream.on('error', () => undefined) // the status says why
    stream.on('data', () => undefined)
    stream.write(Buffer.from([0x0f, 0xff]))
    expect((await status).code).not.toBe(0)
    const shim = new ShimClient(client, counter)
    shim.register('cc')
    await registered('cc')
  })
})
