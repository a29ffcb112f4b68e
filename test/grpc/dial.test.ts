import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { PeerError, createSite, peerKeys, resolveSettings } from '../../kernel/index.js'
import { withBoundedHandshake } from '../../plugins/grpc/bounded-handshake.js'
import { dialPeer } from '../../plugins/grpc/dial.js'
import { freePort } from '../integration/support/ports.js'
import grpc, { grpcKeys, rpcDetails, rpcErrorText } from '../../plugins/grpc/index.js'
import { type Certificate, certificateFor } from './certificates.js'

const settingsFor = (port: number, values: Readonly<Record<string, unknown>> = {}, host = '127.0.0.1') => {
  let site = createSite({ plugins: [grpc] }).with('peer.address', `${host}:${port}`, 'test')
  for (const [key, value] of Object.entries(values)) site = site.with(key, value, 'test')
  return resolveSettings(site).settings({ ...peerKeys, ...grpcKeys })
}

/** A server without services; its port. */
async function listen(credentials: ServerCredentials): Promise<number> {
  const server = new Server()
  onTestFinished(() => server.forceShutdown())
  return new Promise((resolve, reject) => server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))))
}

const secured = ({ certificate, key }: Certificate): ServerCredentials =>
  ServerCredentials.createSsl(null, [{ cert_chain: readFileSync(certificate), private_key: readFileSync(key) }])

test('a peer that listens is reached, and says of an unknown method what v0.6 clients print', async () => {
  const port = await listen(ServerCredentials.createInsecure())
  const client = await dialPeer(Client, settingsFor(port))
  onTestFinished(() => client.close())
  const same = (bytes: Buffer): Buffer => bytes
  const error = await new Promise((resolve) => client.makeUnaryRequest('/loom.Loom/Weave', same, same, Buffer.alloc(0), (failure) => resolve(failure)))
  expect(rpcErrorText(error)).toMatch(/^rpc error: code = 12 desc = .*\/loom.Loom\/Weave/)
})

/** What a failed dial says, always in the words of v0.6, and its hint. */
const hintOf = async (settings: ReturnType<typeof settingsFor>): Promise<unknown> => {
  const error = await dialPeer(Client, settings).then(
    () => 'connected',
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code: 'ERR_DIAL_FAILED', message: 'grpc: timed out when dialing' })
  return error instanceof PeerError ? error.hint : undefined
}

describe('a failed dial has the text of v0.6, and a hint that tells', () => {
  test('a refused connection', async () => {
    const port = await freePort()
    expect(await hintOf(settingsFor(port))).toBe(`connection refused: is a peer running at 127.0.0.1:${port} (peer.address)?`)
  })

  test('a listener that says nothing', async () => {
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    expect(await hintOf(settingsFor(typeof address === 'object' && address !== null ? address.port : 0))).toContain('does not answer as a peer')
  })

  const tls = (certificate: Certificate, name = '') => ({
    'peer.tls.enabled': true,
    'peer.tls.cert.file': certificate.certificate,
    'peer.tls.serverhostoverride': name,
  })
  const serve = (certificate: Certificate | undefined) => listen(certificate === undefined ? ServerCredentials.createInsecure() : secured(certificate))

  test('a peer with TLS, dialled without', async () => {
    const port = await serve(certificateFor('DNS:vp0'))
    expect(await hintOf(settingsFor(port))).toBe(
      `the peer at 127.0.0.1:${port} speaks TLS: set peer.tls.enabled, and peer.tls.cert.file to its certificate, or name the file of its site with --config (in a devnet: weft-devnet/vp0/peer.config.yaml)`,
    )
  })

  test('a peer without TLS, dialled with it', async () => {
    const port = await serve(undefined)
    expect(await hintOf(settingsFor(port, tls(certificateFor('DNS:vp0'))))).toMatch(
      /does not speak TLS.*: set peer.tls.enabled to false, or switch TLS on there/,
    )
  })

  test('a certificate for another name', async () => {
    const certificate = certificateFor('DNS:vp0')
    const port = await serve(certificate)
    expect(await hintOf(settingsFor(port, tls(certificate), 'localhost'))).toBe(
      'its certificate is for DNS:vp0, not localhost: set peer.tls.serverhostoverride to a name of the certificate',
    )
    expect(await hintOf(settingsFor(port, tls(certificate)))).toContain('not 127.0.0.1: set peer.tls.serverhostoverride')
    const client = await dialPeer(Client, settingsFor(port, tls(certificate, 'vp0')))
    client.close()
  })

  test('a certificate of somebody else', async () => {
    const port = await serve(certificateFor('DNS:vp0'))
    const mine = certificateFor('DNS:vp0')
    expect(await hintOf(settingsFor(port, tls(mine, 'vp0')))).toContain(`its certificate is not from ${mine.certificate} (peer.tls.cert.file)`)
  })
})

// Node warns once a process, so of all tests before, too.
const warnings: Error[] = []
const onWarning = (warning: Error): void => void warnings.push(warning)
process.on('warning', onWarning)
afterAll(() => void process.off('warning', onWarning))

test('a peer is dialled at its IP address, by TLS, if the certificate has that address; without a warning of Node', async () => {
  const certificate = certificateFor('IP:127.0.0.1')
  const port = await listen(secured(certificate))
  const client = await dialPeer(Client, settingsFor(port, { 'peer.tls.enabled': true, 'peer.tls.cert.file': certificate.certificate }))
  client.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual([])
})

test('an error that is none of gRPC is its message', () => {
  expect(rpcErrorText(new Error('no thread'))).toBe('no thread')
  expect(rpcErrorText('broken')).toBe('broken')
})

test('a server that accepts connections and never answers TLS is left alone in time: its sockets are closed, also when the client was closed before', async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).once('close', () => void sockets.delete(socket)))
    socket.resume()
  })
  onTestFinished(() => void server.close())
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  const silent = (limitMs: number): Client =>
    new Client(`127.0.0.1:${port}`, withBoundedHandshake(credentials.createSsl(), limitMs), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 60_000,
      'grpc.ssl_target_name_override': 'localhost',
    })
  const waiting = silent(100)
  onTestFinished(() => waiting.close())
  waiting.getChannel().getConnectivityState(true)
  await expect.poll(() => sockets.size).toBe(1)
  await expect.poll(() => sockets.size).toBe(0)
  const closed = silent(60_000)
  closed.getChannel().getConnectivityState(true)
  await expect.poll(() => sockets.size).toBe(1)
  closed.close()
  await expect.poll(() => sockets.size).toBe(0)
})

test.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7051. Resolution note: ',
    'no connection: connect ECONNREFUSED 127.0.0.1:7051',
  ],
  ['No connection established. Last error: read ECONNRESET (2026-11-28T03:17:28.060Z). Resolution note: ', 'no connection: read ECONNRESET'],
  ['the engine is halted', 'the engine is halted'],
])('a connection that could not be made is told of plainly: %s', (details, text) => {
  expect(rpcDetails({ details })).toBe(text)
})
