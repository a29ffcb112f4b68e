import type { FastifyInstance } from 'fastify'
import { createToken } from '../../kernel/index.js'

/** Adds routes to a listener. Called once, before it is bound; what it throws fails the start. */
export type HttpRoutes = (app: FastifyInstance) => void | Promise<void>

/** What a listener may do otherwise than the others. */
export interface HttpListenerOptions {
  /** The configuration key of the address, named in errors as what to change. */
  readonly key: string
  /** Largest request body in bytes; larger ones are answered 413. */
  readonly maxBodyBytes?: number
}

/** One HTTP server on one address. */
export interface HttpListener {
  readonly name: string
  /** `host:port`; the port is the real one after `start` (also when 0 was asked for). */
  readonly address: string
  readonly secure: boolean
  /** In the `registerServices` hook. Until the `start` hook has ended nothing is served. */
  add(routes: HttpRoutes): void
}

/** The HTTP listeners that plugins declare by name, as `Listeners` of the kernel are those of gRPC. */
export interface HttpListeners {
  /**
   * Declares a listener, in the `registerServices` hook. Listeners of the same address share one server, so that an operator may put
   * metrics and REST on one port. Throws ERR_LISTENER_TWICE for a name that is taken.
   */
  declare(name: string, address: string, options: HttpListenerOptions): HttpListener
  /** The listener of another plugin, if the site has it and it is enabled: to add routes to it, list the plugin's token in `uses`. */
  find(name: string): HttpListener | undefined
}

export const HTTP = createToken<HttpListeners>('http listeners', 'weft/plugins/http')
