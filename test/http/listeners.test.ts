import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import http from '../../plugins/http/index.js'
import { certificateFor } from '../grpc/certificates.js'
import { grpcPeer } from '../grpc/grpc-peer.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { TestAuthority, writePair } from '../tls/certificates.js'
import { exchange, httpPeer, listening } from './http-peer.js'

const hello = {
  name: 'hello',
  routes: (app: { get(path: string, handler: () => Promise<object>): unknown }) => void app.get('/hello', async () => ({ hello: 1 })),
}
const get = (address: string, path: string) => fetch(`http://${address}${path}`)

async function takenPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const bound = server.address()
  if (typeof bound !== 'object' || bound === null) throw new Error('not bound')
  return `127.0.0.1:${bound.port}`
}

async function freeAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof bound !== 'object' || bound === null) throw new Error('not bound')
  return `127.0.0.1:${bound.port}`
}

/** What one part of a test waits for and another opens. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

describe('HTTP listeners', () => {
  it('serve what a plugin adds, on the port that the system chose', async () => {
    const { address } = await httpPeer([hello])
    expect(await (await get(address('hello'), '/hello/')).json()).toEqual({ hello: 1 })
    expect((await get(address('hello'), '/nothing')).status).toBe(404)
  })

  it('of the same address share one server', async () => {
    const shared = await freeAddress()
    const world = { name: 'world', address: shared, routes: (app: Parameters<typeof hello.routes>[0]) => void app.get('/world', async () => ({ world: 1 })) }
    const { address } = await httpPeer([{ ...hello, address: shared }, world])
    expect(address('hello')).toBe(address('world'))
    expect((await get(shared, '/hello')).status).toBe(200)
    expect((await get(shared, '/world')).status).toBe(200)
  })

  it('whose port is taken end the start and name the key', async () => {
    const taken = await takenPort()
    const { peer } = grpcPeer([http, listening([{ ...hello, address: taken }])])
    await expect(peer.start()).rejects.toMatchObject({
      message: expect.stringContaining('address already in use (listener hello)'),
      hint: expect.stringContaining('change hello.address'),
    })
  })

  it('with the same name are refused', async () => {
    const { peer } = grpcPeer([http, listening([hello, hello])])
    await expect(peer.start()).rejects.toMatchObject({ message: expect.stringContaining('hello is declared twice') })
  })

  it('change their routes when a plugin is replaced on a running peer', async () => {
    const shared = await freeAddress()
    const { peer } = await httpPeer([{ ...hello, address: shared }])
    const next = { ...hello, address: shared, routes: (app: Parameters<typeof hello.routes>[0]) => void app.get('/hello', async () => ({ hello: 2 })) }
    await peer.replace('loom', listening([next]))
    expect(await (await get(shared, '/hello')).json()).toEqual({ hello: 2 })
    await peer.remove('loom')
    await expect(get(shared, '/hello')).rejects.toThrow()
  })

  it('speak TLS with the certificate of the site', async () => {
    const { certificate, key } = certificateFor('IP:127.0.0.1')
    const { address } = await httpPeer([hello, { ...hello, name: 'plain', options: { tls: false } }], {
      'peer.tls.enabled': true,
      'peer.tls.cert.file': certificate,
      'peer.tls.key.file': key,
    })
    const status = await new Promise((resolve, reject) => {
      request(`https://${address('hello')}/hello`, { ca: readFileSync(certificate) }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(200)
    expect((await get(address('plain'), '/hello')).status).toBe(200)
  })

  it('let in nobody without a client certificate where the site says so', async () => {
    const authority = await TestAuthority.make()
    const server = writePair(temporaryDirectory(), await authority.issuePem('server'))
    const client = writePair(temporaryDirectory(), await authority.issuePem('client'))
    const tls = { 'peer.tls.enabled': true, 'peer.tls.cert.file': server.cert, 'peer.tls.key.file': server.key }
    const asking = { ...tls, 'peer.tls.clientAuth': 'admin', 'peer.tls.clientRootCAs.files': authority.file, 'http.clientAuthListeners': 'hello' }
    const { address } = await httpPeer([hello, { ...hello, name: 'open' }], asking)
    const ask = (name: string, shown: { readonly cert?: Buffer; readonly key?: Buffer } = {}) =>
      new Promise((resolve, reject) => {
        request(`https://${address(name)}/hello`, { ca: readFileSync(authority.file), ...shown, agent: false }, (response) => resolve(response.statusCode))
          .on('error', reject)
          .end()
      })
    expect(await ask('open')).toBe(200)
    expect(await ask('hello', { cert: readFileSync(client.cert), key: readFileSync(client.key) })).toBe(200)
    await expect(ask('hello')).rejects.toThrow()
    const refused = (values: Record<string, unknown>) => expect(httpPeer([hello], { ...asking, ...values })).rejects
    await refused({ 'http.clientAuthListeners': 'hello,helo' }).toThrow(/no HTTP listener of this peer is named helo; there are: hello/)
    await refused({ 'peer.tls.clientAuth': 'none' }).toThrow(/peer.tls.clientAuth is none/)
  })

  it('show new connections the new certificate when the files of the site change, and ask nobody for one', async () => {
    const authority = await TestAuthority.make()
    const directory = temporaryDirectory()
    const files = writePair(directory, await authority.issuePem('server'))
    const { address } = await httpPeer([hello], {
      'peer.tls.enabled': true,
      'peer.tls.cert.file': files.cert,
      'peer.tls.key.file': files.key,
      'peer.tls.clientAuth': 'require',
      'peer.tls.clientRootCAs.files': authority.file,
      'peer.tls.reloadInterval': '20ms',
    })
    const [host, port] = address('hello').split(':')
    const shown = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ host, port: Number(port), ca: authority.pem.certificate }, () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber)
          socket.destroy()
        }).on('error', reject)
      })
    const before = await shown()
    expect(before).toBeDefined()
    writePair(directory, await authority.issuePem('server'))
    await expect.poll(shown).not.toBe(before)
  })
})

describe('a hostile client', () => {
  it('gets 431 for a huge head, 400 for garbage, 408 for slowness, and is disconnected', async () => {
    const { address } = await httpPeer([hello])
    const where = address('hello')
    expect(await exchange(where, `GET /hello HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(40_000)}\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await exchange(where, '\x16\x03\x01garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    expect((await get(where, '/%zz')).status).toBe(400)
    const impatient = await httpPeer([hello], { 'http.timeouts.headers': '1s', 'http.timeouts.request': '1s' })
    expect(await exchange(impatient.address('hello'), 'GET /hello HTTP/1.1\r\nhost: x\r\n')).toMatch(/^HTTP\/1.1 408 /)
  })

  it('is answered 413 for a body beyond the bound', async () => {
    const routes = (app: { post(path: string, handler: () => Promise<object>): unknown }) => void app.post('/body', async () => ({}))
    const { address } = await httpPeer([{ name: 'bodies', routes }], { 'http.limits.bodyBytes': 2048 })
    const post = (body: string) => fetch(`http://${address('bodies')}/body`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    expect((await post(JSON.stringify('x'.repeat(100)))).status).toBe(200)
    expect((await post(JSON.stringify('x'.repeat(4000)))).status).toBe(413)
  })

  it('cannot hold all connections by idling', async () => {
    const { address } = await httpPeer([hello], { 'http.limits.connections': 4 })
    const [host = '', port] = address('hello').split(':')
    const idle = Array.from({ length: 4 }, () => connect(Number(port), host))
    idle.forEach((socket) => socket.on('error', () => undefined))
    onTestFinished(() => idle.forEach((socket) => void socket.destroy()))
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    expect((await get(address('hello'), '/hello')).status).toBe(200)
  })

  it('gets 503 with a hint while too many requests are in work; streams do not count', async () => {
    const held = gate()
    const entered = gate()
    const { address } = await httpPeer(
      [
        {
          name: 'slow',
          routes: (app) => {
            app.get('/slow', async () => {
              entered.open()
              await held.opened
              return {}
            })
            app.get('/stream', { config: { longLived: true } }, async (_request, reply) => {
              reply.hijack()
              reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
            })
          },
        },
      ],
      { 'http.limits.requests': 1 },
    )
    const stream = await get(address('slow'), '/stream')
    const first = get(address('slow'), '/slow')
    await entered.opened
    const second = await get(address('slow'), '/slow')
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1'])
    held.open()
    expect((await first).status).toBe(200)
    await stream.body?.cancel()
  })
})

describe('the end of a peer', () => {
  it('waits for answers in work and cuts endless ones within a bound', async () => {
    const entered = gate()
    const { peer, address } = await httpPeer([
      {
        name: 'slow',
        routes: (app) => {
          app.get('/slow', async () => {
            entered.open()
            await new Promise((resolve) => setTimeout(resolve, 300))
            return {}
          })
          app.get('/stream', { config: { longLived: true } }, async (_request, reply) => {
            reply.hijack()
            reply.raw.writeHead(200).write('x')
          })
        },
      },
    ])
    const stream = await get(address('slow'), '/stream')
    const slow = get(address('slow'), '/slow')
    await entered.opened
    await peer.stop()
    expect((await slow).status).toBe(200)
    await expect(stream.text()).rejects.toThrow()
  })
})
