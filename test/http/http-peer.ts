import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import { type PeerOptions, type Plugin, definePlugin } from '../../kernel/index.js'
import http, { HTTP, type HttpListener, type HttpListenerOptions, type HttpRoutes } from '../../plugins/http/index.js'
import { grpcPeer } from '../grpc/grpc-peer.js'

/** What one listener of a test serves. */
export interface TestListener {
  readonly name: string
  readonly routes: HttpRoutes
  readonly address?: string
  readonly options?: Partial<HttpListenerOptions>
}

/** A plugin that declares these listeners; `found` receives them. */
export function listening(listeners: readonly TestListener[], found: Map<string, HttpListener> = new Map(), name = 'loom'): Plugin {
  return definePlugin({
    name,
    requires: [HTTP],
    apply(peer) {
      peer.hooks.registerServices.tap(async () => {
        for (const { name: listenerName, routes, address = '127.0.0.1:0', options } of listeners) {
          const listener = peer.use(HTTP).declare(listenerName, address, { key: `${listenerName}.address`, ...options })
          listener.add(routes)
          peer.onDispose(() => listener.remove())
          found.set(listenerName, listener)
        }
      })
      peer.hooks.start.tap(() => peer.use(HTTP).open())
    },
  })
}

/** A running peer with HTTP listeners, stopped with its test. */
export async function httpPeer(listeners: readonly TestListener[], values: Record<string, unknown> = {}, options: PeerOptions = {}) {
  const found = new Map<string, HttpListener>()
  const { peer, lines } = grpcPeer([http, listening(listeners, found)], values, options)
  await peer.start()
  onTestFinished(() => peer.stop())
  return { peer, lines, address: (name: string): string => found.get(name)?.address ?? '' }
}

/** Sends bytes over a socket and returns all that came back when the other side closed it. */
export function exchange(address: string, bytes: string | Buffer): Promise<string> {
  const [host = '', port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host, () => socket.write(bytes))
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => (answer += text))
    socket.on('error', () => undefined) // a reset is an end, too
    socket.on('close', () => resolve(answer))
  })
}
