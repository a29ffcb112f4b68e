import type { FastifyInstance } from 'fastify'
import { createToken } from '../../kernel/index.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is a stream without an end (server-sent events): it does not count as a request in work. Who adds such a route bounds their number. */
    longLived?: boolean
    /** The listener that the route was added to. */
    listener?: string
  }
}

/**
 * Adds routes to a listener, inside a scope of their own: hooks, error handlers and body parsers do not reach other listeners on the same address.
 * Called with the first request, or a second after the listener is bound: the router is not loaded before, so that it does not delay a start.
 * What it throws stops the peer.
 */
export type HttpRoutes = (app: FastifyInstance) => void | Promise<void>

/** What a listener may do otherwise than the others. */
export interface HttpListenerOptions {
  /** The configuration key of the address, named in errors as what to change. */
  readonly key: string
  /** Largest request body in bytes; larger ones are answered 413. Default `http.limits.bodyBytes`. */
  readonly maxBodyBytes?: number
  /** False: plain HTTP although TLS is on, as for v0.6's profiling listener. Listeners on one address must agree. Default true. */
  readonly tls?: boolean
}

/** One named part of an HTTP server. */
export interface HttpListener {
  readonly name: string
  /** `host:port`; the port is the real one after `start` (also when 0 was asked for). */
  readonly address: string
  /** True if clients must speak TLS. */
  readonly secure: boolean
  /**
   * In the `registerServices` hook. Until the `start` hook of the http plugin nothing is served. Returns what takes these routes out again: hand it to
   * `peer.onDispose` if the listener is another plugin's.
   */
  add(routes: HttpRoutes): () => Promise<void>
  /** Takes the listener and its routes out; hand it to `peer.onDispose`. The server is closed when it was the last one on its address. */
  remove(): Promise<void>
}

/** The HTTP listeners that plugins declare by name, as `Listeners` of the kernel are those of gRPC. */
export interface HttpListeners {
  /**
   * Declares a listener, in the `registerServices` hook. Listeners of the same address share one server, so that an operator may put
   * metrics and REST on one port; those that ask for port 0 never do. Throws ERR_LISTENER_TWICE for a name that is taken.
   */
  declare(name: string, address: string, options: HttpListenerOptions): HttpListener
  /** The listener of another plugin, if the site has it and it is enabled: to add routes to it, list a token of that plugin in `uses`. */
  find(name: string): HttpListener | undefined
  /**
   * Binds what is not bound yet and serves what was added since. The http plugin does this in its `start` tap; a plugin that can be added to a running peer
   * calls it in its own. Throws ERR_LISTENER_BIND naming the key.
   */
  open(): Promise<void>
}

export const HTTP = createToken<HttpListeners>('http listeners', 'weft/plugins/http')
