import type { Socket } from 'node:net'
import type { Logger } from '../../kernel/index.js'

interface Connection {
  readonly socket: Socket
  requests: number
}

/** Bounds the connections of one server: when it is full, the one that has been without a request for longest makes room. */
export class HttpConnections {
  /** Those without a request in the order in which they fell idle, by remote address and port: with TLS, requests show another socket object. */
  readonly #open = new Map<string, Connection>()

  constructor(
    private readonly limit: number,
    private readonly log: Logger,
  ) {}

  admit(socket: Socket): void {
    if (this.#open.size >= this.limit && !this.#makeRoom()) {
      this.log.warning(`refused a connection from ${socket.remoteAddress}: all ${this.limit} have requests in work`, { key: 'http.limits.connections' })
      socket.destroy()
      return
    }
    const name = nameOf(socket)
    const connection = { socket, requests: 0 }
    this.#open.set(name, connection)
    socket.once('close', () => {
      if (this.#open.get(name) === connection) this.#open.delete(name)
    })
  }

  /** A request of `socket` is in work until the returned function is called. */
  begin(socket: Socket): () => void {
    const name = nameOf(socket)
    const connection = this.#open.get(name)
    if (connection === undefined) return () => undefined
    connection.requests += 1
    return () => {
      connection.requests -= 1
      // To the end of the line.
      if (connection.requests === 0 && this.#open.get(name) === connection) {
        this.#open.delete(name)
        this.#open.set(name, connection)
      }
    }
  }

  cut(): void {
    for (const { socket } of this.#open.values()) socket.destroy()
  }

  #makeRoom(): boolean {
    for (const [name, { socket, requests }] of this.#open) {
      if (requests > 0) continue
      this.#open.delete(name)
      socket.destroy()
      return true
    }
    return false
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}
