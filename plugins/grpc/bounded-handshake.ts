import { ChannelCredentials, type experimental } from '@grpc/grpc-js'
import type { Socket } from 'node:net'

type SecureConnector = experimental.SecureConnector
type Create = ChannelCredentials['_createSecureConnector']

/** As long as a whole dial may take. */
const HANDSHAKE_MS = 3000

/**
 * Credentials whose TLS handshake ends in time. grpc-js itself waits for ever for a server that accepts a connection and then says nothing, and keeps its socket
 * when the client is closed: a peer that goes on dialling such a neighbour would run out of descriptors, and a command would not end.
 */
export function withBoundedHandshake(inner: ChannelCredentials, limitMs = HANDSHAKE_MS): ChannelCredentials {
  return new BoundedCredentials(inner, limitMs)
}

class BoundedCredentials extends ChannelCredentials {
  constructor(
    private readonly inner: ChannelCredentials,
    private readonly limitMs: number,
  ) {
    super()
  }

  override _isSecure(): boolean {
    return this.inner._isSecure()
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other || (other instanceof BoundedCredentials && this.limitMs === other.limitMs && this.inner._equals(other.inner))
  }

  override _createSecureConnector(...parameters: Parameters<Create>): SecureConnector {
    return new BoundedConnector(this.inner._createSecureConnector(...parameters), this.limitMs)
  }
}

class BoundedConnector implements SecureConnector {
  readonly #pending = new Set<Socket>()
  #isDestroyed = false

  constructor(
    private readonly inner: SecureConnector,
    private readonly limitMs: number,
  ) {}

  async connect(socket: Socket): Promise<experimental.SecureConnectResult> {
    if (this.#isDestroyed) {
      socket.destroy()
      throw new Error('the connection is no longer wanted')
    }
    this.#pending.add(socket)
    let late: NodeJS.Timeout | undefined
    const limit = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`no TLS handshake within ${this.limitMs} ms`)), this.limitMs).unref()
    })
    try {
      // grpc-js destroys the socket of an attempt that failed.
      return await Promise.race([this.inner.connect(socket), limit])
    } finally {
      clearTimeout(late)
      this.#pending.delete(socket)
    }
  }

  waitForReady(): Promise<void> {
    return this.inner.waitForReady()
  }

  getCallCredentials(): ReturnType<SecureConnector['getCallCredentials']> {
    return this.inner.getCallCredentials()
  }

  destroy(): void {
    this.#isDestroyed = true
    for (const socket of this.#pending) socket.destroy()
    this.inner.destroy()
  }
}
