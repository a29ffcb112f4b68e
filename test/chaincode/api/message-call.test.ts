import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer as createSocketServer, type Server } from 'node:net'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dialSession, openCall } from '../../../plugins/chaincode/api/message-call.js'
import { start } from '../../../plugins/chaincode/api/index.js'
import { frameOf } from '../../../plugins/grpc/message-frames.js'
import { ChaincodeMessage, ChaincodeMessage_Type as Type, encode } from '../../../proto/index.js'
import { certificateFor } from '../../grpc/certificates.js'

const LIMIT_MS = 5000

/** Listens on a free port, or on a given one, and ends with the test. */
async function listen(server: Server | Http2Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** What a call that sends one message gets of a server. */
async function called(answer: (stream: ServerHttp2Stream) => void, act: 'wait' | 'end' | 'cancel' = 'wait') {
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    answer(stream)
  })
  const session = await dialSession(`127.0.0.1:${await listen(server)}`, undefined, LIMIT_MS)
  onTestFinished(() => session.destroy())
  const messages: string[] = []
  const reason = await new Promise<string>((ended) => {
    const call = openCall(session, '/a/b', undefined, { message: (bytes) => void messages.push(bytes.toString()), ended })
    call.send(Buffer.from('hello'))
    if (act !== 'wait') call[act]()
  })
  return { messages, reason }
}

function answered(pieces: readonly Uint8Array[], trailers: Record<string, string>) {
  return (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    for (const piece of pieces) stream.write(piece)
    stream.end()
  }
}

describe('a call of messages', () => {
  it('gives what comes, however it is cut, and the status', async () => {
    const frames = Buffer.concat([frameOf(Buffer.from('one')), frameOf(Buffer.from('two'))])
    const status = { 'grpc-status': '2', 'grpc-message': 'Error handling message: 100%25 caf%C3%A9' }
    expect(await called(answered([frames.subarray(0, 3), frames.subarray(3, 11), frames.subarray(11)], status))).toEqual({
      messages: ['one', 'two'],
      reason: 'Error handling message: 100% café',
    })
  })

  it.each([
    ['in order', answered([], { 'grpc-status': '0' }), 'the peer closed it'],
    ['with a text that is written wrongly', answered([], { 'grpc-status': '2', 'grpc-message': '100%' }), '100%'],
    ['with a status alone', answered([], { 'grpc-status': '13' }), 'status 13'],
    ['without a status', answered([], {}), 'the connection was closed'],
    ['by what is no gRPC', (stream: ServerHttp2Stream) => stream.respond({ ':status': 404 }, { endStream: true }), 'it answers with HTTP status 404'],
    ['with the connection', (stream: ServerHttp2Stream) => stream.session?.destroy(), 'the connection was closed'],
    ['with a message that is compressed', answered([Buffer.from([1, 0, 0, 0, 0])], { 'grpc-status': '0' }), 'Received a compressed message'],
  ])('ends %s', async (_how, answer, reason) => {
    expect((await called(answer)).reason).toContain(reason)
  })

  it('ends when the client gives it up, and when it has sent all', async () => {
    expect(await called(() => undefined, 'cancel')).toMatchObject({ messages: [] })
    const received = (stream: ServerHttp2Stream): void => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => answered([Buffer.concat(chunks)], { 'grpc-status': '11', 'grpc-message': 'EOF' })(stream))
    }
    expect(await called(received, 'end')).toEqual({ messages: ['hello'], reason: 'EOF' })
  })
})

describe('dialling', () => {
  it('tries again until somebody listens', async () => {
    const first = createSocketServer()
    const port = await listen(first)
    await new Promise((resolve) => first.close(resolve))
    const dialled = dialSession(`127.0.0.1:${port}`, undefined, LIMIT_MS)
    await expect(dialSession(`127.0.0.1:${port}`, undefined, 50)).rejects.toThrow('ECONNREFUSED')
    await listen(createServer(), port)
    const session = await dialled
    expect(session.destroyed).toBe(false)
    session.destroy()
  })

  it('does not wait for who says nothing', async () => {
    const port = await listen(createSocketServer((socket) => void socket.on('error', () => undefined)))
    await expect(dialSession(`127.0.0.1:${port}`, undefined, 50)).rejects.toThrow('no answer')
  })

  it('with TLS trusts the given certificate, under the name that it has or the one that is given', async () => {
    const { certificate, key } = certificateFor('DNS:peer.example')
    const server = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) })
    const authorities: (string | undefined)[] = []
    server.on('stream', (stream, headers) => {
      authorities.push(headers[':authority'])
      stream.on('error', () => undefined)
      answered([], { 'grpc-status': '2', 'grpc-message': 'enough' })(stream)
    })
    const options = { peer: `127.0.0.1:${await listen(server)}`, name: 'cc', dialTimeoutMs: 1000, log: () => undefined }
    const chaincode = { invoke: () => undefined }
    const tls = { enabled: true, certFile: certificate }
    await expect(start(chaincode, { ...options, tls })).rejects.toThrow(/cannot reach the peer at .* IP: 127\.0\.0\.1/)
    await expect(start(chaincode, { ...options, tls: { ...tls, serverHostOverride: 'peer.example' } })).rejects.toThrow('ended: enough')
    expect(authorities).toEqual(['peer.example'])
    await expect(start(chaincode, { ...options, tls: { enabled: true } })).rejects.toThrow(/cannot reach the peer at .* self[- ]signed certificate/)
  })
})

it('a chaincode ends its stream when the peer sends what is no message', async () => {
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.write(frameOf(encode(ChaincodeMessage, ChaincodeMessage.create({ type: Type.REGISTERED }))))
    stream.write(frameOf(Buffer.from([0xff])))
  })
  const peer = `127.0.0.1:${await listen(server)}`
  await expect(start({ invoke: () => undefined }, { peer, name: 'cc', log: () => undefined })).rejects.toThrow('what the peer sent cannot be read')
})
