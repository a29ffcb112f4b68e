import { type Clock, type Logger, PeerError } from '../../kernel/index.js'
import { HttpServer } from './http-server.js'
import type { HttpSettings } from './keys.js'
import type { HttpListener, HttpListenerOptions, HttpListeners, HttpRoutes } from './listeners.js'
import type { TlsSource } from './tls-source.js'
import type { HttpCounts } from './traffic.js'

interface Declared {
  readonly name: string
  readonly options: HttpListenerOptions
  readonly routes: HttpRoutes[]
}

/** Listeners that share an address, and their server. */
interface Group {
  readonly asked: string
  readonly secure: boolean
  /** Whether clients must show certificates. */
  readonly asksClients: boolean
  readonly members: Declared[]
  readonly server: HttpServer
  address: string
  /** True if something was added or taken out since the routes were made. */
  stale: boolean
}

/** What all listeners of a peer share. */
export interface HttpListenerSetParts {
  readonly settings: HttpSettings
  /** `clients`: of listeners that ask clients for certificates. Throws ERR_TLS_CONFIG if there is no authority for those. */
  readonly tls: (clients: boolean) => TlsSource
  readonly log: Logger
  readonly clock: Clock
  readonly counts: HttpCounts
  /** A listener cannot serve what was added to it: the peer must stop. */
  readonly fatal: (reason: unknown) => void
}

/** All HTTP listeners of one peer. */
export class HttpListenerSet implements HttpListeners {
  readonly #groups = new Set<Group>()
  readonly #listeners = new Map<string, HttpListener>()

  constructor(private readonly parts: HttpListenerSetParts) {}

  declare(name: string, address: string, options: HttpListenerOptions): HttpListener {
    const taken = this.#listeners.has(name)
    if (taken) throw new PeerError('ERR_LISTENER_TWICE', `the HTTP listener ${name} is declared twice`, { details: { name, key: options.key } })
    const group = this.#groupOf(name, address, options)
    const declared: Declared = { name, options, routes: [] }
    group.members.push(declared)
    group.stale = true
    const listener: HttpListener = {
      name,
      secure: group.secure,
      get address() {
        return group.address
      },
      add: (routes) => {
        declared.routes.push(routes)
        group.stale = true
        return () => this.#takeOut(group, declared, routes)
      },
      remove: () => this.#remove(group, declared),
    }
    this.#listeners.set(name, listener)
    return listener
  }

  find(name: string): HttpListener | undefined {
    return this.#listeners.get(name)
  }

  async open(): Promise<void> {
    this.#checkClientAuth()
    for (const group of this.#groups) {
      if (group.stale) await this.#serve(group)
      if (group.server.isBound) continue
      const names = group.members.map(({ name }) => name)
      group.address = await group.server.open({ address: group.asked, names, keys: group.members.map(({ options }) => options.key) })
      this.parts.log.in('open').info(`listener ${names.join(', ')} on ${group.secure ? 'https' : 'http'}://${group.address}`)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#groups].map(({ server }) => server.close()))
  }

  #groupOf(name: string, address: string, { key, tls = true }: HttpListenerOptions): Group {
    const asksClients = this.parts.settings['http.clientAuthListeners'].includes(name)
    const secure = tls && this.parts.tls(asksClients).current() !== undefined
    const found = address.endsWith(':0') ? undefined : [...this.#groups].find(({ asked }) => asked === address)
    if (found === undefined) {
      const { settings, log, clock, counts, fatal } = this.parts
      const server = new HttpServer({ settings, log: log.in(name), clock, counts, fatal, tls: secure ? this.parts.tls(asksClients) : undefined })
      const group = { asked: address, secure, asksClients, members: [], server, address, stale: true }
      this.#groups.add(group)
      return group
    }
    const others = found.members.map((member) => member.name).join(', ')
    if (found.secure === secure && found.asksClients === asksClients) return found
    if (found.secure === secure) {
      throw new PeerError('ERR_LISTENER_TLS', `of the HTTP listeners ${others} and ${name} on ${address} only some are in http.clientAuthListeners`, {
        hint: `name all of them there, or give ${key} another port`,
      })
    }
    throw new PeerError(
      'ERR_LISTENER_TLS',
      `the HTTP listener ${name} on ${address} ${secure ? 'needs TLS' : 'is without TLS'}, but ${others} on the same address ${secure ? 'has none' : 'has it'}`,
      {
        hint: `give ${key} another port`,
      },
    )
  }

  /** A listener that is named and is not there, or is without TLS, would be left open. */
  #checkClientAuth(): void {
    for (const name of this.parts.settings['http.clientAuthListeners']) {
      const listener = this.#listeners.get(name)
      if (listener?.secure === true) continue
      const names = [...this.#listeners.keys()].join(', ')
      throw new PeerError(
        'ERR_TLS_CONFIG',
        `http.clientAuthListeners: ${listener ? `the listener ${name} is without TLS` : `no HTTP listener of this peer is named ${name}; there are: ${names}`}`,
        {
          hint: listener ? 'set peer.tls.enabled to true, or leave it out' : 'name listeners that are there',
        },
      )
    }
  }

  async #serve(group: Group): Promise<void> {
    await group.server.serve(group.members.map(({ name, routes, options }) => ({ name, routes, maxBodyBytes: options.maxBodyBytes })))
    group.stale = false
  }

  async #takeOut(group: Group, declared: Declared, routes: HttpRoutes): Promise<void> {
    const index = declared.routes.indexOf(routes)
    if (index < 0) return
    declared.routes.splice(index, 1)
    if (group.members.includes(declared) && group.server.isBound) await this.#serve(group)
  }

  async #remove(group: Group, declared: Declared): Promise<void> {
    const index = group.members.indexOf(declared)
    if (index < 0) return
    group.members.splice(index, 1)
    this.#listeners.delete(declared.name)
    if (group.members.length > 0) {
      if (group.server.isBound) await this.#serve(group)
      return
    }
    this.#groups.delete(group)
    await group.server.close()
  }
}
