import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  AdminService,
  BlockNumber,
  callUnary,
  DevopsService,
  ECAPService,
  encode,
  EventsService,
  Message,
  Message_Type,
  openStream,
  OpenchainService,
  PeerService,
  Response,
  Response_StatusCode,
  type ServiceHandlers,
  Transaction,
} from '../../proto/index.js'
import { fromHex, toHex } from './vectors.js'

describe('the services', () => {
  it('have the paths of v0.6', () => {
    expect(PeerService.chat).toMatchObject({ path: '/protos.Peer/Chat', requestStream: true, responseStream: true })
    expect(PeerService.processTransaction).toMatchObject({ path: '/protos.Peer/ProcessTransaction', requestStream: false, responseStream: false })
    expect(DevopsService.expProduceSigma.path).toBe('/protos.Devops/EXP_ProduceSigma')
    expect(EventsService.chat.path).toBe('/protos.Events/Chat')
    expect(AdminService.getStatus.path).toBe('/protos.Admin/GetStatus')
    expect(ECAPService.readCACertificate.path).toBe('/protos.ECAP/ReadCACertificate')
    expect(Object.keys(OpenchainService)).toEqual(['getBlockchainInfo', 'getBlockByNumber', 'getBlockCount', 'getPeers'])
  })

  it('send a serialised message as it is, without copying it', () => {
    const bytes = encode(BlockNumber, { number: 3n })
    const sent = OpenchainService.getBlockByNumber.requestSerialize(bytes)
    expect(sent.buffer).toBe(bytes.buffer)
    expect(toHex(sent)).toBe('0803')
  })

  it('refuse malformed bytes', () => {
    expect(() => PeerService.chat.requestDeserialize(Buffer.from('0a0108', 'hex'))).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TYPE' }))
  })
})

describe('over a connection', () => {
  let server: Server
  let client: Client

  const handlers: ServiceHandlers<typeof PeerService> = {
    chat(stream) {
      stream.on('data', (message: Message) => stream.write({ ...message, type: Message_Type.DISC_PEERS }))
      stream.on('end', () => stream.end())
    },
    processTransaction({ request }, respond) {
      if (request.txid === 'hang') return
      respond(null, Response.fromPartial({ status: Response_StatusCode.SUCCESS, msg: new TextEncoder().encode(request.txid) }))
    },
  }

  beforeEach(async () => {
    server = new Server()
    server.addService(PeerService, { ...handlers })
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)))
    })
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  })

  afterEach(() => {
    client.close()
    server.forceShutdown()
  })

  it('a unary call takes a message or its bytes', async () => {
    const transaction = Transaction.fromPartial({ txid: 'abc' })
    const expected = { status: Response_StatusCode.SUCCESS, msg: new TextEncoder().encode('abc') }
    expect(await callUnary(client, PeerService.processTransaction, transaction)).toEqual(expected)
    expect(await callUnary(client, PeerService.processTransaction, encode(Transaction, transaction))).toEqual(expected)
  })

  it('a unary call ends with its signal', async () => {
    const cancelled = expect.objectContaining({ code: status.CANCELLED })
    await expect(
      callUnary(client, PeerService.processTransaction, Transaction.fromPartial({ txid: 'hang' }), { signal: AbortSignal.timeout(50) }),
    ).rejects.toEqual(cancelled)
    await expect(callUnary(client, PeerService.processTransaction, Transaction.fromPartial({}), { signal: AbortSignal.abort() })).rejects.toEqual(cancelled)
  })

  it('malformed bytes end the call with an error and leave the server standing', async () => {
    await expect(callUnary(client, PeerService.processTransaction, fromHex('2801'))).rejects.toMatchObject({ code: status.INTERNAL })
    await expect(callUnary(client, PeerService.processTransaction, fromHex(''))).resolves.toMatchObject({ status: Response_StatusCode.SUCCESS })
  })

  it('a stream carries messages both ways', async () => {
    const stream = openStream(client, PeerService.chat)
    const reply = new Promise<Message>((resolve) => stream.once('data', resolve))
    stream.write(Message.fromPartial({ type: Message_Type.DISC_GET_PEERS, payload: fromHex('0102') }))
    expect(await reply).toMatchObject({ type: Message_Type.DISC_PEERS, payload: fromHex('0102') })
    stream.end()
    await new Promise((resolve) => stream.once('end', resolve))
  })

  it('malformed bytes end a stream with an error', async () => {
    const stream = openStream(client, PeerService.chat)
    const failure = new Promise((resolve) => stream.once('error', resolve))
    stream.write(fromHex('0a0108'))
    stream.resume()
    expect(await failure).toMatchObject({ code: status.INTERNAL })
  })
})
