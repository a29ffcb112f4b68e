import { Client, type ServerDuplexStream, credentials } from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { type Listener, definePlugin } from '../../kernel/index.js'
import { cutStream } from '../../plugins/grpc/index.js'
import { grpcPeer } from './grpc-peer.js'
import { PIPE, same } from './pipe.js'

test('a stream whose client does not read ends at once when it is cut', async () => {
  let listener: Listener | undefined
  const ended = new Promise<boolean>((resolve) => {
    const pipe = (call: ServerDuplexStream<Buffer, Buffer>): void => {
      call.on('cancelled', () => resolve(call.cancelled))
      for (let written = 0; written < 32; written++) call.write(Buffer.alloc(100_000))
      // The status waits until the client has read everything, which it never does.
      call.end()
      setTimeout(() => cutStream(call), 50)
    }
    const plugin = definePlugin({
      name: 'pipe',
      apply(host) {
        host.hooks.registerServices.tap(async (listeners) => {
          listener = listeners.get('peer')
          listener.add(PIPE, { pipe })
        })
      },
    })
    const { peer } = grpcPeer([plugin])
    onTestFinished(() => peer.stop())
    void peer.start().then(() => {
      const client = new Client(listener?.address ?? '', credentials.createInsecure())
      onTestFinished(() => client.close())
      const call = client.makeBidiStreamRequest(PIPE.pipe.path, same, same)
      // A client that does not read hears nothing before the connection ends, with this test.
      call.on('error', () => undefined)
    })
  })
  expect(await ended).toBe(true)
})
