import { status, type ServerDuplexStream } from '@grpc/grpc-js'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { definePlugin, PeerError, systemClock, type Peer } from '../../kernel/index.js'
import { streaming, unary } from '../../plugins/grpc/index.js'
import { EchoClient, echoPlugin, EchoService } from './echo.js'
import { grpcPeer } from './grpc-peer.js'

const open: { readonly stop: () => unknown }[] = []

afterEach(async () => {
  for (const { stop } of open.splice(0).reverse()) await stop()
})

async function running(peer: Peer): Promise<Peer> {
  await peer.start()
  open.push({ stop: () => peer.stop() })
  return peer
}

function client(address: string): EchoClient {
  const made = new EchoClient(address)
  open.push({ stop: () => made.close() })
  return made
}

/** Reads a stream to its end. */
function read(stream: ReturnType<EchoClient['chat']>): Promise<{ readonly words: string[]; readonly code: number; readonly details: string }> {
  const words: string[] = []
  return new Promise((resolve) => {
    stream.on('data', (word: string) => words.push(word))
    stream.on('error', () => undefined) // the status says the same
    stream.on('status', ({ code, details }) => resolve({ words, code, details }))
  })
}

describe('a gRPC service of a plugin', () => {
  test('answers unary calls written as async functions', async () => {
    const echo = echoPlugin({ say: unary(async (word: string) => `${word}!`) })
    const peer = await running(grpcPeer([echo.plugin]).peer)
    expect(await client(peer.listenerAddress()).say('hello')).toBe('hello!')
  })

  test('carries messages of several megabytes in both directions', async () => {
    const echo = echoPlugin({ say: unary(async (word: string) => word) })
    await running(grpcPeer([echo.plugin]).peer)
    const long = 'x'.repeat(12 * 1024 * 1024)
    expect((await client(echo.address()).say(long)).length).toBe(long.length)
  })

  test('refuses a message beyond peer.limits.messageBytes', async () => {
    const echo = echoPlugin({ say: unary(async (word: string) => word) })
    await running(grpcPeer([echo.plugin], { 'peer.limits.messageBytes': 2048 }).peer)
    await expect(client(echo.address()).say('x'.repeat(4096))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED })
  })

  test.each([
    [
      'a PeerError keeps its status',
      async () => Promise.reject(new PeerError('ERR_TEST_BUSY', 'come back', { grpcStatus: status.RESOURCE_EXHAUSTED })),
      status.RESOURCE_EXHAUSTED,
      'come back',
    ],
    ['any other error is UNKNOWN with its message, % included', async () => Promise.reject(new Error('100% wrong')), status.UNKNOWN, '100% wrong'],
    ['text that is not well-formed does not break the answer', async () => Promise.reject(new Error('bad \ud800 end')), status.UNKNOWN, 'bad \ufffd end'],
  ])('%s', async (_name, work, code, details) => {
    const echo = echoPlugin({ say: unary(work) })
    await running(grpcPeer([echo.plugin]).peer)
    await expect(client(echo.address()).say('x')).rejects.toMatchObject({ code, details })
  })

  test('survives handlers in callback style that throw, reject or answer twice', async () => {
    const echo = echoPlugin({
      say(call: { request: string }, callback: (error: Error | null, reply?: string) => void) {
        if (call.request === 'throw') throw new Error('thrown')
        if (call.request === 'reject') return Promise.reject(new Error('rejected'))
        if (call.request === 'pass') return callback(new PeerError('ERR_TEST', 'passed', { grpcStatus: status.NOT_FOUND }))
        callback(null, 'first')
        callback(null, 'second')
      },
    })
    await running(grpcPeer([echo.plugin]).peer)
    const asking = client(echo.address())
    await expect(asking.say('throw')).rejects.toMatchObject({ code: status.UNKNOWN, details: 'thrown' })
    await expect(asking.say('reject')).rejects.toMatchObject({ code: status.UNKNOWN, details: 'rejected' })
    await expect(asking.say('pass')).rejects.toMatchObject({ code: status.NOT_FOUND, details: 'passed' })
    expect(await asking.say('twice')).toBe('first')
  })

  test('streams in both directions, ends with the function, and turns its failure into a status', async () => {
    const chat = streaming(async (call: ServerDuplexStream<string, string>) => {
      for await (const word of call) {
        if (word === 'fail') throw new PeerError('ERR_TEST', 'as asked', { grpcStatus: status.ABORTED })
        call.write(`${String(word)}!`)
      }
    })
    const echo = echoPlugin({ chat })
    await running(grpcPeer([echo.plugin]).peer)
    const asking = client(echo.address())
    const good = asking.chat()
    good.write('a')
    good.end('b')
    expect(await read(good)).toMatchObject({ words: ['a!', 'b!'], code: status.OK })
    const bad = asking.chat()
    bad.write('fail')
    expect(await read(bad)).toMatchObject({ code: status.ABORTED, details: 'as asked' })
  })

  test('answers a stream that its handler destroys', async () => {
    const echo = echoPlugin({
      chat: (call: ServerDuplexStream<string, string>) =>
        void call.on('data', (word: string) => call.destroy(word === 'why' ? new Error('because') : undefined)),
    })
    await running(grpcPeer([echo.plugin]).peer)
    const asking = client(echo.address())
    for (const [word, answer] of [
      ['why', { code: status.UNKNOWN, details: 'because' }],
      ['plain', { code: status.UNAVAILABLE }],
    ] as const) {
      const stream = asking.chat()
      stream.write(word)
      expect(await read(stream)).toMatchObject(answer)
    }
  })

  test('survives clients that cancel a stream nobody listens to', async () => {
    let begun = (): void => undefined
    const arrived = new Promise<void>((resolve) => (begun = resolve))
    const echo = echoPlugin({ chat: () => begun(), say: unary(async (word: string) => word) })
    await running(grpcPeer([echo.plugin]).peer)
    const asking = client(echo.address())
    const stream = asking.chat()
    const ended = read(stream)
    stream.write('x')
    await arrived
    stream.cancel()
    expect((await ended).code).toBe(status.CANCELLED)
    expect(await asking.say('alive')).toBe('alive')
  })

  test('answers UNIMPLEMENTED for what is not served, and again once its plugin is gone', async () => {
    const echo = echoPlugin({ say: unary(async (word: string) => word) })
    const peer = await running(grpcPeer([echo.plugin]).peer)
    const asking = client(echo.address())
    expect(await read(asking.chat())).toMatchObject({ code: status.UNIMPLEMENTED })
    await peer.remove('echo')
    await expect(asking.say('x')).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  })

  test('changes hands on a live connection when its plugin is replaced', async () => {
    const before = echoPlugin({ say: unary(async () => 'before') })
    const peer = await running(grpcPeer([before.plugin]).peer)
    const asking = client(before.address())
    expect(await asking.say('x')).toBe('before')
    await peer.replace('echo', echoPlugin({ say: unary(async () => 'after') }).plugin)
    expect(await asking.say('x')).toBe('after')
  })

  test('answers UNAVAILABLE until its plugin starts, and is served from then on', async () => {
    const answers: unknown[] = []
    const echo = echoPlugin({ say: unary(async (word: string) => word) }, 'second')
    const first = definePlugin({
      name: 'first',
      apply: (host) =>
        host.hooks.start.tap(
          async () =>
            void answers.push(
              await client(echo.address())
                .say('early')
                .catch(({ code }: { code: number }) => code),
            ),
        ),
    })
    await running(grpcPeer([first, echo.plugin]).peer)
    answers.push(await client(echo.address()).say('late'))
    expect(answers).toEqual([status.UNAVAILABLE, 'late'])
  })

  test('cannot be served by two plugins at once', async () => {
    const both = grpcPeer([echoPlugin({}, 'a').plugin, echoPlugin({}, 'b').plugin])
    await expect(both.peer.start()).rejects.toThrow('plugin b adds /test.Echo/Say, which plugin a serves already')
  })
})

describe('a listener', () => {
  test('that is unknown is an error naming those that exist', async () => {
    const lost = definePlugin({ name: 'p', apply: (host) => host.hooks.registerServices.tap(async (listeners) => void listeners.get('pear')) })
    await expect(grpcPeer([lost]).peer.start()).rejects.toThrow('no listener is named pear; there are: peer')
  })

  test('can be declared by a plugin, once', async () => {
    const declaring = (name: string) =>
      definePlugin({
        name,
        apply: (host) =>
          host.hooks.registerServices.tap(
            async (listeners) => void listeners.declare('events', '127.0.0.1:0').add(EchoService, { say: unary(async (word: string) => word) }),
          ),
      })
    await running(grpcPeer([declaring('a')]).peer)
    await expect(grpcPeer([declaring('a'), declaring('b')]).peer.start()).rejects.toThrow('plugin b declares the listener events, which a declared already')
  })

  test('whose port is taken fails the start in the words of v0.6, naming the key', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    open.push({ stop: () => new Promise((resolve) => blocker.close(resolve)) })
    const bound = blocker.address()
    const address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`
    await expect(grpcPeer([], { 'peer.listenAddress': address }).peer.start()).rejects.toMatchObject({
      code: 'ERR_LISTENER_BIND',
      message: `Failed to listen: listen tcp ${address}: bind: address already in use (listener peer)`,
      hint: `change peer.listenAddress, or stop the process that uses ${address}`,
    })
  })

  test('serves good clients beside hundreds of idle connections, and garbage', async () => {
    const echo = echoPlugin({ say: unary(async (word: string) => word) })
    await running(grpcPeer([echo.plugin]).peer)
    const [host = '', port = ''] = echo.address().split(':')
    const idle: Socket[] = await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const socket = connect(Number(port), host)
        socket.on('error', () => undefined) // cut by the peer: expected for those that send garbage
        open.push({ stop: () => socket.destroy() })
        await new Promise((resolve) => socket.once('connect', resolve))
        if (index % 3 === 0) socket.write('GET / HTTP/1.1\r\n\r\n')
        return socket
      }),
    )
    expect(idle).toHaveLength(300)
    expect(await client(echo.address()).say('still here')).toBe('still here')
  })

  test('that is full closes the connection that said least to serve a new client, unless all are young', async () => {
    let elapsedMs = 0
    const clock = { ...systemClock, elapsedMs: () => elapsedMs }
    const echo = echoPlugin({ say: unary(async (word: string) => word) })
    await running(grpcPeer([echo.plugin], { 'peer.limits.connections': 8 }, { clock }).peer)
    const [host = '', port = ''] = echo.address().split(':')
    const used = client(echo.address())
    await used.say('in use')
    const closed: Promise<void>[] = []
    for (let count = 0; count < 7; count++) {
      const socket = connect(Number(port), host).resume()
      closed.push(new Promise((resolve) => socket.once('close', () => resolve())))
      await new Promise((resolve) => socket.once('connect', resolve))
      open.push({ stop: () => socket.destroy() })
    }
    await expect(client(echo.address()).say('too many')).rejects.toMatchObject({ code: status.UNAVAILABLE })
    elapsedMs = 60_000
    expect(await client(echo.address()).say('new')).toBe('new')
    await Promise.race(closed)
    expect(await used.say('still there')).toBe('still there')
  })

  test('stops within bounds although a client holds a stream open', async () => {
    const echo = echoPlugin({ chat: (call: ServerDuplexStream<string, string>) => void call.write('welcome') })
    const hurried = { ...systemClock, setTimer: (delayMs: number, task: () => void) => systemClock.setTimer(delayMs / 50, task) }
    const { peer } = grpcPeer([echo.plugin], {}, { clock: hurried })
    await peer.start()
    const stream = client(echo.address()).chat()
    const ended = read(stream)
    await new Promise((resolve) => stream.once('data', resolve))
    await peer.stop()
    expect((await ended).code).not.toBe(status.OK)
  })
})
