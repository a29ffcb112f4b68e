import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { type Clock, type Logger, endsWithin, messageOf } from '../../kernel/index.js'
import { type RouteGroup, createApplication } from './application.js'
import { type HttpTarget, bind } from './bind.js'
import { refuseConnection, refuseRequest } from './client-errors.js'
import { HttpConnections } from './connections.js'
import type { HttpSettings } from './keys.js'
import type { TlsSource } from './tls-source.js'
import type { HttpCounts } from './traffic.js'

const CLOSE_LIMIT_MS = 3000
const CLOSE_POLL_MS = 50
const CHECK_INTERVAL_MS = 1000
/** Loading fastify takes a tenth of a second of CPU: after the peer's other doors answer, or when the first request comes. */
const WARM_UP_DELAY_MS = 1000

/** What every server of a peer is made of. */
export interface HttpServerParts {
  readonly settings: HttpSettings
  /** Undefined: plain HTTP. */
  readonly tls: TlsSource | undefined
  readonly log: Logger
  readonly clock: Clock
  readonly counts: HttpCounts
  /** Routes could not be made: the peer must stop. */
  readonly fatal: (reason: unknown) => void
}

/** One HTTP server on one address: its bounds, its routes, its orderly end. */
export class HttpServer {
  readonly #connections: HttpConnections
  readonly #slots = new Map<object, () => void>()
  #server: Server | undefined
  #groups: readonly RouteGroup[] = []
  #application: FastifyInstance | undefined
  #loading: Promise<FastifyInstance> | undefined
  #isClosed = false
  #endRenewal: (() => void) | undefined
  #cancelWarmUp: () => void = () => {}

  constructor(private readonly parts: HttpServerParts) {
    this.#connections = new HttpConnections(parts.settings['http.limits.connections'], parts.log)
  }

  get isBound(): boolean {
    return this.#server !== undefined
  }

  /** Serves these routes from now on, instead of the former ones; requests in work end as they began. */
  async serve(groups: readonly RouteGroup[]): Promise<void> {
    this.#groups = groups
    const former = await this.#loading
    this.#loading = undefined
    if (former === undefined) return
    await this.#load()
    await former.close()
  }

  /** Binds; resolves with the address, the real port in it. The routes are made soon after. Throws ERR_LISTENER_BIND. */
  async open(target: HttpTarget): Promise<string> {
    const server = await this.#create()
    const address = await bind(server, target)
    // E.g. EMFILE on accept: that client is lost, the server lives.
    server.on('error', (error) => this.parts.log.error(`listener ${target.names.join(', ')}: ${error.message}`))
    this.#server = server
    this.#cancelWarmUp = this.parts.clock.setTimer(WARM_UP_DELAY_MS, () => this.#warmUp())
    return address
  }

  /** Accepts nothing more, waits at most 3 s for the answers in work, then cuts them. */
  async close(): Promise<void> {
    const { clock, log } = this.parts
    this.#isClosed = true
    this.#cancelWarmUp()
    this.#endRenewal?.()
    const server = this.#server
    if (server !== undefined) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // Connections that fall idle now: Node closes only those that are idle at the call.
      let stopPolling = () => {}
      const poll = () => {
        server.closeIdleConnections()
        stopPolling = clock.setTimer(CLOSE_POLL_MS, poll)
      }
      poll()
      if (!(await endsWithin(closed, CLOSE_LIMIT_MS, clock))) {
        log.info(`cut ${this.#slots.size} HTTP requests that did not end within ${CLOSE_LIMIT_MS} ms`)
        this.#connections.cut()
      }
      stopPolling()
      this.#server = undefined
    }
    const application = await this.#loading?.catch(() => undefined) // its failure was told when it happened
    this.#application = undefined
    await application?.close()
  }

  /** Makes the routes, once for each set of them. Fails with what a plugin's routes throw, and stops the peer then. */
  #load(): Promise<FastifyInstance> {
    const { settings, log, counts } = this.parts
    this.#loading ??= createApplication(this.#groups, { settings, log, counts, endSlot: (request) => this.#endSlot(request) }).then(
      (application) => (this.#application = application),
      (cause: unknown) => {
        this.parts.fatal(cause)
        throw cause
      },
    )
    return this.#loading
  }

  #warmUp(): void {
    // What fails has stopped the peer already, with its reason.
    this.#load().catch((cause: unknown) => this.parts.log.debug(`the routes could not be made: ${messageOf(cause)}`))
  }

  async #create(): Promise<Server> {
    const { settings, tls, log } = this.parts
    const options = {
      maxHeaderSize: settings['http.limits.headerBytes'],
      headersTimeout: settings['http.timeouts.headers'],
      requestTimeout: settings['http.timeouts.request'],
      keepAliveTimeout: settings['http.timeouts.keepAlive'],
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      noDelay: true,
    }
    const context = tls?.current()
    const listener: RequestListener = (request, response) => this.#answer(request, response)
    let server: Server
    if (context === undefined) server = createServer(options, listener)
    else {
      const { createServer: createSecureServer } = await import('node:https')
      const clients = context.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }
      const secure = createSecureServer({ ...options, ...context, ...clients, handshakeTimeout: settings['http.timeouts.headers'] }, listener)
      this.#endRenewal = tls?.onChange?.((renewed) => secure.setSecureContext(renewed))
      secure.on('tlsClientError', (error, socket) => {
        log.debug(`TLS with ${socket.remoteAddress}: ${messageOf(error)}`)
        socket.destroy()
      })
      server = secure
    }
    server.timeout = settings['http.timeouts.idle']
    server.on('connection', (socket) => {
      socket.on('error', (error) => log.debug(`connection from ${socket.remoteAddress}: ${error.message}`))
      this.#connections.admit(socket)
    })
    server.on('clientError', refuseConnection)
    return server
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isClosed || this.#slots.size >= this.parts.settings['http.limits.requests']) {
      this.parts.counts.add(this.#groups.map(({ name }) => name).join(', '), request.method ?? '', 'refused', 503)
      refuseRequest(response, this.#isClosed ? 'this peer is stopping' : 'too many requests in work; try again later')
      return
    }
    const endRequest = this.#connections.begin(request.socket)
    this.#slots.set(request, endRequest)
    response.once('close', () => {
      this.#slots.delete(request)
      endRequest()
    })
    if (this.#application !== undefined) this.#application.routing(request, response)
    else {
      this.#load().then(
        (application) => application.routing(request, response),
        () => refuseRequest(response, 'this peer cannot answer'),
      )
    }
  }

  #endSlot(request: object): void {
    this.#slots.delete(request)
  }
}
