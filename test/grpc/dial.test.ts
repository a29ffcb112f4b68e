import { createServer } from 'node:net'
import { Client, Server, ServerCredentials } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { createSite, peerKeys, resolveSettings } from '../../kernel/index.js'
import { dialPeer } from '../../plugins/grpc/dial.js'
import grpc, { grpcKeys, rpcErrorText } from '../../plugins/grpc/index.js'

const settingsFor = (port: number) =>
  resolveSettings(createSite({ plugins: [grpc] }).with('peer.address', `127.0.0.1:${port}`, 'test')).settings({ ...peerKeys, ...grpcKeys })

/** A port on which nobody listens. */
const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

test('a peer that listens is reached, and says of an unknown method what v0.6 clients print', async () => {
  const server = new Server()
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))),
  )
  onTestFinished(() => server.forceShutdown())
  const client = await dialPeer(Client, settingsFor(port))
  onTestFinished(() => client.close())
  const same = (bytes: Buffer): Buffer => bytes
  const error = await new Promise((resolve) => client.makeUnaryRequest('/loom.Loom/Weave', same, same, Buffer.alloc(0), (failure) => resolve(failure)))
  expect(rpcErrorText(error)).toMatch(/^rpc error: code = 12 desc = .*\/loom.Loom\/Weave/)
})

test('a refused connection is reported with the text of v0.6', async () => {
  await expect(dialPeer(Client, settingsFor(await freePort()))).rejects.toMatchObject({ code: 'ERR_DIAL_FAILED', message: 'grpc: timed out when dialing' })
})

test('an error that is none of gRPC is its message', () => {
  expect(rpcErrorText(new Error('no thread'))).toBe('no thread')
  expect(rpcErrorText('broken')).toBe('broken')
})
