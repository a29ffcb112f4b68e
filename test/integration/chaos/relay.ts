import { createServer, type Server, type Socket, connect } from 'node:net'

/** Carries the connections that one peer makes to another; it can be cut, or go silent. */
export class Relay {
  readonly #sockets = new Set<Socket>()
  #state: 'carries' | 'cut' | 'silent' = 'carries'

  private constructor(
    private readonly server: Server,
    private readonly target: string,
    readonly address: string,
  ) {
    server.on('connection', (socket) => this.#carry(socket))
  }

  /** A relay to an address on a port of its own. */
  static async to(target: string): Promise<Relay> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no port')
    return new Relay(server, target, `127.0.0.1:${address.port}`)
  }

  /** Ends every connection, and those that are tried. */
  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Nothing gets through any more, and nobody is told. */
  silence(): void {
    this.#state = 'silent'
    for (const socket of this.#sockets) socket.pause()
  }

  mend(): void {
    this.#state = 'carries'
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.server.close(resolve))
  }

  #carry(incoming: Socket): void {
    if (this.#state === 'cut') return void incoming.destroy()
    const [host = '', port = ''] = this.target.split(':')
    const outgoing = connect({ host, port: Number(port) })
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause()
      })
      to.on('drain', () => {
        if (this.#state !== 'silent') from.resume()
      })
      // Whatever ended the one ends the other; there is nothing to say of it here.
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#state === 'silent') from.pause()
    }
  }
}
