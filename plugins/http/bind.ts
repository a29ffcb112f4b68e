import type { Server } from 'node:net'
import { PeerError, messageOf } from '../../kernel/index.js'

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'bind: address already in use',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  EACCES: 'bind: permission denied',
  ENOTFOUND: 'no such host',
}

/** Where a server binds: its listeners, and the keys that say so. */
export interface HttpTarget {
  readonly address: string
  readonly names: readonly string[]
  readonly keys: readonly string[]
}

/** Binds; resolves with `host:port`, the real port in it. Throws ERR_LISTENER_BIND in the words of v0.6 (spec/node.md §3). */
export async function bind(server: Server, { address, names, keys }: HttpTarget): Promise<string> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon)
  const port = Number(address.slice(colon + 1))
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException) => {
      const why = BIND_ERRORS[cause.code ?? ''] ?? messageOf(cause)
      reject(
        new PeerError('ERR_LISTENER_BIND', `Failed to listen: listen tcp ${address}: ${why} (listener ${names.join(', ')})`, {
          cause,
          details: { listeners: names, address, keys },
          hint: `change ${keys.join(' and ')}, or stop the process that uses ${address}`,
        }),
      )
    }
    if (port > 65_535) return refuse(new Error(`the port ${port} is out of range 0..65535`))
    server.once('error', refuse)
    server.listen({ port, ...(host === '' ? {} : { host: host.replace(/^\[|\]$/g, '') }) }, () => {
      server.off('error', refuse)
      resolve()
    })
  })
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : address
}
