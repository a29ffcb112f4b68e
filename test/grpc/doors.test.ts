import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type Socket, connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { type TLSSocket, connect } from 'node:tls'
import { Client, type ServerDuplexStream } from '@grpc/grpc-js'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PeerError, type Plugin, createSite, definePlugin, peerKeys, resolveSettings } from '../../kernel/index.js'
import { dialPeer } from '../../plugins/grpc/dial.js'
import grpc, { clientCredentials, dialCredentials, grpcKeys, streaming, unary } from '../../plugins/grpc/index.js'
import { TLS, type TlsSource, serverContextOptions } from '../../plugins/tls/index.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { type Files, TestAuthority, writePair } from '../tls/certificates.js'
import { EchoClient, EchoService, echoPlugin } from './echo.js'
import { grpcPeer, tlsSettings } from './grpc-peer.js'

let authority: TestAuthority
let server: Files
let client: Files
beforeAll(async () => {
  authority = await TestAuthority.make()
  server = await authority.issue('server')
  client = await authority.issue('client', 'operator')
})

const secured = (files: Files = server): Record<string, unknown> => ({
  'peer.tls.enabled': true,
  'peer.tls.cert.file': files.cert,
  'peer.tls.key.file': files.key,
  'peer.tls.rootcert.file': authority.file,
})
const showing = (files: Files | undefined): Record<string, unknown> =>
  files === undefined ? {} : { 'peer.tls.clientCert.file': files.cert, 'peer.tls.clientKey.file': files.key }

const echo = () =>
  echoPlugin({
    say: unary(async (word: string) => word),
    chat: streaming(async (call: ServerDuplexStream<string, string>) => {
      for await (const word of call) call.write(word)
    }),
  })

async function start(values: Record<string, unknown>, more: readonly Plugin[] = []) {
  const { plugin, address } = echo()
  const { peer, lines } = grpcPeer([plugin, ...more], values)
  await peer.start()
  onTestFinished(() => peer.stop())
  const port = Number(address().split(':')[1])
  return { address: address(), port, lines, logged: (part: string) => expect.poll(() => lines.join('')).toContain(part) }
}

function clientOf(address: string, values: Record<string, unknown>): EchoClient {
  const { credentials, options } = clientCredentials(tlsSettings(values), address)
  const made = new EchoClient(address, credentials, options)
  onTestFinished(() => made.close())
  return made
}

/** What a command says of a dial that fails. */
async function hintOf(address: string, values: Record<string, unknown>): Promise<string> {
  const all = { 'peer.address': address, ...values }
  const site = Object.entries(all).reduce((so, [key, value]) => so.with(key, value, 'test'), createSite({ plugins: [grpc] }))
  const error = await dialPeer(Client, resolveSettings(site).settings({ ...peerKeys, ...grpcKeys })).then(
    (dialled) => dialled.close(),
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code: 'ERR_DIAL_FAILED', message: 'grpc: timed out when dialing' })
  return error instanceof PeerError ? (error.hint ?? '') : ''
}

async function handshake(port: number, options: object): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false, ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

describe('a TLS listener', () => {
  test.each(['ECDSA', 'RSA'])('takes clients that can do what the Go of v0.6 can, and no more (%s)', async (kind) => {
    let files = server
    if (kind === 'RSA') {
      const directory = temporaryDirectory()
      files = { cert: join(directory, 'rsa.pem'), key: join(directory, 'rsa.key') }
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=vp0', '-keyout', files.key, '-out', files.cert], {
        stdio: 'pipe',
      })
    }
    const { port } = await start(secured(files))
    const go16 = {
      maxVersion: 'TLSv1.2',
      ciphers: `ECDHE-${kind}-AES128-GCM-SHA256:ECDHE-${kind}-AES128-SHA:AES128-SHA`,
      ecdhCurve: 'P-256:P-384:P-521',
      sigalgs: 'RSA+SHA256:ECDSA+SHA256:RSA+SHA1:ECDSA+SHA1',
    }
    const socket = await handshake(port, go16)
    expect({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol, cipher: socket.getCipher().name }).toEqual({
      protocol: 'TLSv1.2',
      alpn: 'h2',
      cipher: `ECDHE-${kind}-AES128-GCM-SHA256`,
    })
    // It speaks HTTP/2: the first thing is its SETTINGS frame.
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')
    const [first]: Buffer[] = await once(socket, 'data')
    expect(first?.[3]).toBe(4)
  })

  test.each([
    ['older versions', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, 'no cipher or version in common'],
    ['ciphers without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }, 'no cipher or version in common'],
    ['ciphers without authentication of data', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }, 'no cipher or version in common'],
    ['clients of HTTP/1.1', { ALPNProtocols: ['http/1.1'] }, 'does not offer HTTP/2'],
  ])('refuses %s, and says so', async (_what, options, line) => {
    const { port, logged } = await start(secured())
    await expect(handshake(port, options)).rejects.toThrow()
    await logged(line)
  })

  test('names clients without TLS on both sides, and lives', async () => {
    const { address, port, logged } = await start(secured())
    expect(await hintOf(address, {})).toContain('speaks TLS: set peer.tls.enabled')
    const socket = connectPlain(port, '127.0.0.1').on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    await logged('the client speaks no TLS, but this listener does: set peer.tls.enabled there')
    expect(await clientOf(address, secured()).say('on')).toBe('on')
  })

  test('names clients that do not trust it', async () => {
    const { address, logged } = await start(secured())
    const other = await TestAuthority.make('somebody else')
    expect(await hintOf(address, { ...secured(), 'peer.tls.rootcert.file': other.file })).toContain(`is not from ${other.file} (peer.tls.rootcert.file)`)
    await logged('it went away in the handshake; perhaps the client does not trust the certificate of this peer')
  })

  test('hears of clients that do not trust it and say so, as those in Go do', async () => {
    const { port, logged } = await start(secured())
    const other = await TestAuthority.make('somebody else')
    const run = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-verify_return_error', '-CAfile', other.file], { stdio: 'ignore' })
    await once(run, 'close')
    await logged(': the client does not trust the certificate of this peer')
  })

  test('with an expired certificate is named by its clients', async () => {
    const expired = await authority.issue('server', 'localhost', { days: 1, now: Date.now() - 3 * 86_400_000 })
    const { address, lines } = await start(secured(expired))
    expect(lines.join('')).toContain('expired on')
    expect(await hintOf(address, secured())).toContain('has expired: renew it there')
  })

  test('gives new connections new certificates; a stream that runs goes on', async () => {
    const directory = temporaryDirectory()
    const files = writePair(directory, await authority.issuePem('server'))
    const { address, port, logged } = await start({ ...secured(files), 'peer.tls.reloadInterval': '20ms' })
    const before = clientOf(address, secured())
    const chat = before.chat().on('error', () => undefined) // its peer may stop before it has ended
    const answers: string[] = []
    chat.on('data', (word: string) => answers.push(word))
    chat.write('one')
    await expect.poll(() => answers).toEqual(['one'])
    const old = (await handshake(port, {})).getPeerX509Certificate()?.serialNumber
    writePair(directory, await authority.issuePem('server'))
    await logged('new connections get the new TLS files')
    const fresh = (await handshake(port, {})).getPeerX509Certificate()?.serialNumber
    expect(fresh).not.toBe(old)
    chat.write('two')
    await expect.poll(() => answers).toEqual(['one', 'two'])
    expect(await before.say('still')).toBe('still')
    writeFileSync(files.key, 'junk')
    await logged('the new TLS files are not used, the old ones stay')
    expect((await handshake(port, {})).getPeerX509Certificate()?.serialNumber).toBe(fresh)
    chat.end()
  })

  test('lets go of a client that begins a handshake and says no more', async () => {
    const { port, address } = await start(secured())
    const silent: Socket = connectPlain(port, '127.0.0.1').on('error', () => undefined)
    onTestFinished(() => void silent.destroy())
    await once(silent, 'connect')
    silent.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))
    expect(await clientOf(address, secured()).say('meanwhile')).toBe('meanwhile')
  })
})

test('a listener without TLS names clients that speak it, on both sides', async () => {
  const { address, port, logged } = await start({})
  await expect(handshake(port, {})).rejects.toThrow()
  await logged('speaks TLS, but this listener does not: set peer.tls.enabled here, or switch TLS off there')
  expect(await hintOf(address, secured())).toContain('does not speak TLS: set peer.tls.enabled to false')
})

test('a certificate without issuers is trusted if it is the very file that clients have, as with v0.6', async () => {
  const pem = await authority.issuePem('server')
  const leaf = writePair(temporaryDirectory(), { ...pem, certificate: pem.certificate.slice(0, pem.certificate.indexOf('-----END') + 26) })
  const { address } = await start({ ...secured(leaf), 'peer.tls.rootcert.file': '' })
  expect(await clientOf(address, { 'peer.tls.enabled': true, 'peer.tls.cert.file': leaf.cert }).say('trusted')).toBe('trusted')
})

describe('client certificates', () => {
  const admin = () => ({ ...secured(), 'peer.tls.clientAuth': 'admin', 'peer.tls.clientRootCAs.files': authority.file })
  const require = () => ({ ...admin(), 'peer.tls.clientAuth': 'require' })

  test('with admin are demanded for the services that the site names, and for no others', async () => {
    const open = await start(admin())
    expect(await clientOf(open.address, secured()).say('anybody')).toBe('anybody')
    const guarded = await start({ ...admin(), 'peer.tls.adminServices': 'protos.Admin,test.*' })
    const anonymous = clientOf(guarded.address, secured())
    await expect(anonymous.say('hello')).rejects.toMatchObject({ code: 16, details: expect.stringContaining('/test.Echo/Say demands a client certificate') })
    const stream = anonymous.chat()
    const [error]: unknown[] = await once(stream, 'error')
    expect(error).toMatchObject({ code: 16 })
    expect(await clientOf(guarded.address, { ...secured(), ...showing(client) }).say('operator')).toBe('operator')
  })

  test('with admin hold on a listener of their own only if the site names it', async () => {
    const hub = definePlugin({
      name: 'hub',
      apply(peer) {
        peer.hooks.registerServices.tap(
          async (listeners) =>
            void listeners
              .declare('hub', '127.0.0.1:0', 'hub.address')
              .add({ say: { ...EchoService.say, path: '/weft.Hub/Say' } }, { say: unary(async (word: string) => word) }),
        )
      },
    })
    const { lines } = await start(admin(), [hub])
    expect(lines.join('')).toContain('listener hub on')
    await expect(start({ ...admin(), 'peer.tls.clientAuthListeners': 'peer,hubb' }, [hub])).rejects.toThrow(
      'no gRPC listener of this peer is named hubb; there are: peer, hub',
    )
  })

  test('with require are demanded of every connection', async () => {
    const { address, logged } = await start(require())
    expect(await clientOf(address, { ...secured(), ...showing(client) }).say('in')).toBe('in')
    expect(await hintOf(address, secured())).toContain('demands a client certificate: set peer.tls.clientCert.file and peer.tls.clientKey.file')
    await logged('it shows no certificate, which peer.tls.clientAuth demands')
    expect(await hintOf(address, {})).toContain('speaks TLS')
  })

  test.each(['admin', 'require'])('that are wrong are refused by name with %s', async (mode) => {
    const { address, logged, lines } = await start(mode === 'admin' ? admin() : require())
    const stranger = await (await TestAuthority.make('strangers')).issue('client', 'mallory')
    expect(await hintOf(address, { ...secured(), ...showing(stranger) })).toContain('does not accept the client certificate in peer.tls.clientCert.file')
    await logged('its client certificate, of "mallory", is not accepted')
    await expect(clientOf(address, { ...secured(), ...showing(server) }).say('server')).rejects.toMatchObject({ code: 14 })
    const expired = await authority.issue('client', 'late', { days: 1, now: Date.now() - 3 * 86_400_000 })
    await expect(clientOf(address, { ...secured(), ...showing(expired) }).say('late')).rejects.toMatchObject({ code: 14 })
    expect(lines.join('')).not.toContain('"operator"')
  })

  test('cannot be had by resuming a session that had none', async () => {
    const { port } = await start({ ...admin(), 'peer.tls.adminServices': 'test.*' })
    const socket = await handshake(port, {})
    let ticket: Buffer | undefined
    socket.on('session', (session: Buffer) => (ticket = session))
    await once(socket, 'data')
    const again = await handshake(port, ticket === undefined ? {} : { session: ticket })
    expect(again.isSessionReused()).toBe(false)
  })

  test('of an authority that is taken away are refused from then on', async () => {
    const directory = temporaryDirectory()
    const roots = join(directory, 'roots.pem')
    writeFileSync(roots, authority.pem.certificate)
    const { address, logged } = await start({ ...require(), 'peer.tls.clientRootCAs.files': roots, 'peer.tls.reloadInterval': '20ms' })
    expect(await clientOf(address, { ...secured(), ...showing(client) }).say('in')).toBe('in')
    writeFileSync(roots, (await TestAuthority.make('successor')).pem.certificate)
    await logged('new connections get the new TLS files')
    await expect(clientOf(address, { ...secured(), ...showing(client) }).say('out')).rejects.toMatchObject({ code: 14 })
  })
})

test('other listeners, and dials, get the same certificates through the token', async () => {
  let source: TlsSource | undefined
  const door = definePlugin({
    name: 'door',
    uses: [TLS],
    apply(peer) {
      peer.hooks.registerServices.tap(async () => void (source = peer.find(TLS)))
    },
  })
  const directory = temporaryDirectory()
  const files = writePair(directory, await authority.issuePem('server'))
  const { address, logged } = await start({ ...secured(files), 'peer.tls.reloadInterval': '20ms' }, [door])
  const material = source?.current()
  if (source === undefined || material === undefined) throw new Error('no TLS')
  const https = createServer(serverContextOptions(material))
  source.onChange((fresh) => https.setSecureContext(serverContextOptions(fresh)))
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void https.close())
  const bound = https.address()
  const shown = async () =>
    (await handshake(typeof bound === 'object' && bound !== null ? bound.port : 0, { ALPNProtocols: ['http/1.1'] })).getPeerX509Certificate()?.serialNumber
  const before = await shown()
  writePair(directory, await authority.issuePem('server'))
  await logged('new connections get the new TLS files')
  expect(await shown()).not.toBe(before)
  const { credentials, options } = dialCredentials(source, address)
  const dialled = new EchoClient(address, credentials, options)
  onTestFinished(() => dialled.close())
  expect(await dialled.say('peer')).toBe('peer')
})
