import { Client, type ClientDuplexStream, compressionAlgorithms, credentials, Server, ServerCredentials, type StatusObject } from '@grpc/grpc-js'
import { connect } from 'node:http2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { frameOf } from '../../plugins/grpc/message-frames.js'
import { type BytesCall, type MessageStream, messageStream } from '../../plugins/grpc/index.js'
import { PIPE, same } from './pipe.js'

interface Served {
  readonly call: BytesCall
  readonly messages: MessageStream
  readonly received: Buffer[]
  halfClosed: boolean
}

type Answer = (message: Buffer, served: Served) => void

/** A server of one stream; answers each message with `answer`. */
async function serve(answer: Answer, options: object = {}) {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1, ...options })
  const opened = new Promise<Served>((resolve) => {
    server.addService(PIPE, {
      pipe(call: BytesCall) {
        const received: Buffer[] = []
        const messages = messageStream(call, {
          message(bytes) {
            received.push(Buffer.from(bytes))
            answer(bytes, served)
          },
          halfClosed() {
            served.halfClosed = true
            call.end()
          },
        })
        const served: Served = { call, messages, received, halfClosed: false }
        resolve(served)
      },
    })
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  )
  onTestFinished(() => server.forceShutdown())
  return { opened, port }
}

/** Such a server, and a client of it. */
async function pipe(answer: Answer, options: object = {}, clientOptions: object = {}) {
  const { opened, port } = await serve(answer, options)
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1, ...clientOptions })
  onTestFinished(() => client.close())
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(PIPE.pipe.path, same, same)
  stream.on('error', () => undefined) // the status says why
  const status = new Promise<StatusObject>((resolve) => stream.on('status', resolve))
  return { opened, stream, status }
}

const echo = (message: Buffer, { messages }: Served): void => messages.send(message)

/** As many messages as are asked for. */
function answers(stream: ClientDuplexStream<Buffer, Buffer>, count: number): Promise<Buffer[]> {
  return new Promise((resolve) => {
    const all: Buffer[] = []
    stream.on('data', (message: Buffer) => {
      all.push(message)
      if (all.length === count) resolve(all)
    })
  })
}

describe('the messages of a two-way stream', () => {
  it('are taken from the HTTP/2 stream itself with this version of grpc-js', async () => {
    const { opened, stream } = await pipe(echo)
    stream.write(Buffer.from('x'))
    const { call } = await opened
    expect(call.listenerCount('data')).toBe(0)
  })

  it('of any size go both ways, in order', async () => {
    const { stream, status, opened } = await pipe(echo)
    const sent = [0, 1, 5, 16_384, 100_000, 3_000_000, 7].map((length, index) => Buffer.alloc(length, index))
    const got = answers(stream, sent.length)
    for (const message of sent) stream.write(message)
    stream.end()
    expect((await got).map((message) => Buffer.compare(message, sent.shift() ?? Buffer.alloc(0)))).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(await status).toMatchObject({ code: 0 })
    expect((await opened).halfClosed).toBe(true)
  })

  it('of a client that compresses them are read all the same', async () => {
    const { stream, opened } = await pipe(echo, {}, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip })
    const got = answers(stream, 2)
    stream.write(Buffer.alloc(5000, 1))
    stream.write(Buffer.from('b'))
    expect((await got).map(({ length }) => length)).toEqual([5000, 1])
    expect((await opened).call.listenerCount('data')).toBe(1)
  })

  it('end with the status that the server gives, also before anything was sent', async () => {
    const { stream, status } = await pipe((_message, { messages }) => messages.end({ code: 11, details: 'EOF' }))
    stream.write(Buffer.from('x'))
    expect(await status).toMatchObject({ code: 11, details: 'EOF' })
  })

  it('that are too long end it, either way', async () => {
    const received = await pipe(echo, { 'grpc.max_receive_message_length': 10 })
    received.stream.write(Buffer.alloc(11))
    expect(await received.status).toMatchObject({ code: 8, details: 'Received message larger than max (11 vs 10)' })
    const sent = await pipe((_message, { messages }) => messages.send(Buffer.alloc(11)), { 'grpc.max_send_message_length': 10 })
    sent.stream.write(Buffer.from('x'))
    expect(await sent.status).toMatchObject({ code: 8, details: 'Sent message larger than max (11 vs. 10)' })
  })

  it('are not read while the client does not read, and all come in the end', async () => {
    const big = Buffer.alloc(200_000)
    const { opened, port } = await serve((_message, { messages }) => messages.send(big))
    const session = connect(`http://127.0.0.1:${port}`)
    onTestFinished(() => session.destroy())
    const headers = { ':method': 'POST', ':path': PIPE.pipe.path, 'content-type': 'application/grpc', te: 'trailers' }
    const stream = session.request(headers)
    for (let sent = 0; sent < 100; sent++) stream.write(frameOf(Buffer.from([sent])))
    const served = await opened
    const settled = async (): Promise<number> => {
      for (let before = -1; ; ) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        if (served.received.length > 0 && served.received.length === before) return before
        before = served.received.length
      }
    }
    expect(await settled()).toBeLessThan(10)
    let bytes = 0
    for await (const chunk of stream) {
      bytes += Buffer.from(chunk).length
      if (bytes === 100 * (big.length + 5)) break
    }
    expect(served.received.map(([first]) => first)).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })

  it('are over when the client cancels; what is sent then is dropped', async () => {
    const { stream, opened } = await pipe(echo)
    const got = answers(stream, 1)
    stream.write(Buffer.from('x'))
    const served = await opened
    await got
    const cancelled = new Promise((resolve) => served.call.on('cancelled', resolve))
    stream.cancel()
    await cancelled
    served.messages.send(Buffer.from('late'))
    expect(served.call.cancelled).toBe(true)
  })
})
