import { createServer, type Server, type Socket } from 'node:net'
import { type Clock, type Logger, PeerError, messageOf } from '../../kernel/index.js'

/** A connection that has not spoken by then is closed, and only older ones make room for new ones. */
const SILENCE_LIMIT_MS = 10_000
/** Fewer bytes are not even the HTTP/2 greeting. */
const GREETING_BYTES = 24

/** Where a listener binds; `key` is the configuration key that says so. */
export interface BindTarget {
  readonly name: string
  readonly address: string
  readonly key: string
}

/**
 * Accepts connections of one listener and bounds their number: when it is full, the connection that has said least makes
 * room, so that connections which only idle (scanners, forgotten clients) go before links in use.
 */
export class Connections {
  readonly #sockets = new Map<Socket, number>()
  readonly #server: Server
  /** Connections taken since the start. */
  accepted = 0

  constructor(
    private readonly limit: number,
    private readonly log: Logger,
    private readonly clock: Clock,
    private readonly accept: (socket: Socket) => void,
  ) {
    // TCP keepalive finds dead hosts below HTTP/2, where the protocol wants no pings (spec/wire.md §1).
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => this.#admit(socket))
  }

  /** Binds; resolves with the address, the real port in it. Throws ERR_LISTENER_BIND in the words of v0.6 (spec/node.md §3). */
  async open(target: BindTarget): Promise<string> {
    const colon = target.address.lastIndexOf(':')
    const host = target.address.slice(0, colon)
    const port = Number(target.address.slice(colon + 1))
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => reject(bindError(target, error))
      if (port > 65_535) return refuse(new Error(`the port ${port} is out of range 0..65535`))
      this.#server.once('error', refuse)
      this.#server.listen({ port, ...(host === '' ? {} : { host: host.replace(/^\[|\]$/g, '') }) }, () => {
        this.#server.off('error', refuse)
        // E.g. EMFILE on accept: that client is lost, the listener lives.
        this.#server.on('error', (error) => this.log.error(`listener ${target.name}: ${error.message}`))
        resolve()
      })
    })
    const bound = this.#server.address()
    return typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : target.address
  }

  /** Accepts nothing more; what is connected stays. */
  refuseNew(): void {
    if (this.#server.listening) this.#server.close()
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  get size(): number {
    return this.#sockets.size
  }

  /** What is connected. */
  sockets(): Iterable<Socket> {
    return this.#sockets.keys()
  }

  #admit(socket: Socket): void {
    const remote = socket.remoteAddress
    socket.on('error', (error) => this.log.debug(`connection from ${remote}: ${error.message}`))
    if (this.#sockets.size >= this.limit && !this.#makeRoom()) {
      this.log.warning(`refused a connection from ${remote}: all ${this.limit} are in use and young`, { key: 'peer.limits.connections' })
      socket.destroy()
      return
    }
    this.#sockets.set(socket, this.clock.elapsedMs())
    this.accepted++
    const cancelSilence = this.clock.setTimer(SILENCE_LIMIT_MS, () => {
      if (socket.bytesRead < GREETING_BYTES) socket.destroy()
    })
    socket.once('close', () => {
      cancelSilence()
      this.#sockets.delete(socket)
    })
    this.accept(socket)
  }

  #makeRoom(): boolean {
    const oldEnough = this.clock.elapsedMs() - SILENCE_LIMIT_MS / 2
    let least: Socket | undefined
    for (const [socket, since] of this.#sockets) {
      if (since < oldEnough && (least === undefined || socket.bytesRead < least.bytesRead)) least = socket
    }
    if (least === undefined) return false
    this.log.info(`closed the connection from ${least.remoteAddress} that said least, to make room for a new one`)
    this.#sockets.delete(least)
    least.destroy()
    return true
  }
}

const BIND_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'bind: address already in use',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  EACCES: 'bind: permission denied',
  ENOTFOUND: 'no such host',
}

function bindError({ name, address, key }: BindTarget, cause: NodeJS.ErrnoException): PeerError {
  const why = BIND_ERRORS[cause.code ?? ''] ?? messageOf(cause)
  return new PeerError('ERR_LISTENER_BIND', `Failed to listen: listen tcp ${address}: ${why} (listener ${name})`, {
    cause,
    details: { listener: name, address, key },
    hint: `change ${key}, or stop the process that uses ${address}`,
  })
}
