import { type Clock, type Listener, type ListenerOwner, type ListenerSet, type Listeners, type Logger, PeerError } from '../../kernel/index.js'
import type { TlsSource } from '../tls/index.js'
import type { ListenerSecurity } from './client-auth.js'
import { plainDoor, tlsDoor } from './doors.js'
import { GrpcListener, type ListenerLimits } from './grpc-listener.js'
import type { Traffic } from './traffic.js'

/** The listeners as one plugin sees them, and to the plugin grpc the TLS that they use and what they have to do. */
export class GrpcListeners implements Listeners {
  constructor(
    readonly tls: TlsSource,
    readonly traffic: Traffic,
    private readonly declaring: (name: string, address: string, key: string) => Listener,
    readonly get: (name: string) => Listener,
  ) {
    Object.freeze(this)
  }

  declare(name: string, address: string, key = `the address of listener ${name}`): Listener {
    return this.declaring(name, address, key)
  }
}

/** All listeners of one peer, and which plugin declared each. */
export class GrpcListenerSet implements ListenerSet {
  readonly #listeners = new Map<string, { readonly listener: GrpcListener; readonly owner: ListenerOwner }>()
  #drained: Promise<void>[] | undefined

  constructor(
    private readonly limits: ListenerLimits,
    private readonly tls: TlsSource,
    private readonly security: ListenerSecurity,
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** The listeners as one plugin sees them: what it declares and adds is its own. */
  view(owner: ListenerOwner): Listeners {
    return new GrpcListeners(
      this.tls,
      { listeners: () => [...this.#listeners.values()].map(({ listener }) => listener.traffic) },
      (name, address, key) => this.#declare(owner, name, address, key),
      (name) => {
        const found = this.#listeners.get(name)
        if (found !== undefined) return present(found.listener, owner)
        const names = [...this.#listeners.keys()].join(', ')
        throw new PeerError('ERR_LISTENER_UNKNOWN', `no listener is named ${name}; there are: ${names}`, { details: { name } })
      },
    )
  }

  /** Binds what is not bound yet. */
  async open(): Promise<void> {
    this.security.checkNames([...this.#listeners.keys()])
    for (const { listener } of this.#listeners.values()) {
      if (listener.isOpen) continue
      const clientAuth = this.security.clientAuth(listener.target.name)
      await listener.open((parts) => (this.tls.current() === undefined ? plainDoor(parts) : tlsDoor(this.tls, clientAuth, parts)))
      this.log.in('open').info(`listener ${listener.target.name} on ${listener.address}`)
    }
  }

  /** Takes out what a plugin added, and closes what it declared. */
  async release(owner: ListenerOwner, awaited: boolean): Promise<void> {
    for (const [name, { listener, owner: declarer }] of this.#listeners) {
      listener.services.release(owner, awaited)
      if (declarer !== owner) continue
      this.#listeners.delete(name)
      await listener.close(listener.drain())
    }
  }

  /** No successor of a released plugin is awaited any longer. */
  settle(): void {
    for (const { listener } of this.#listeners.values()) listener.services.settle()
  }

  /** Refuses new connections and calls; running ones go on. */
  drain(): void {
    this.#drained ??= [...this.#listeners.values()].map(({ listener }) => listener.drain())
  }

  async close(): Promise<void> {
    this.drain()
    this.tls.close()
    const all = [...this.#listeners.values()]
    await Promise.all(all.map(({ listener }, index) => listener.close(this.#drained?.[index] ?? Promise.resolve())))
  }

  #declare(owner: ListenerOwner, name: string, address: string, key: string): Listener {
    const other = this.#listeners.get(name)
    if (other !== undefined) {
      throw new PeerError('ERR_LISTENER_TWICE', `plugin ${owner.name} declares the listener ${name}, which ${other.owner.name} declared already`, {
        details: { name, plugins: [other.owner.name, owner.name] },
      })
    }
    if (owner.ready) {
      throw new PeerError('ERR_LISTENER_LATE', `plugin ${owner.name} declares the listener ${name} after the listeners were opened`, {
        hint: 'declare it in the registerServices hook',
      })
    }
    const listener = new GrpcListener({ name, address, key }, this.limits, this.log.in(name), this.clock, (path) => this.security.isGuarded(name, path))
    this.#listeners.set(name, { listener, owner })
    return present(listener, owner)
  }
}

function present(listener: GrpcListener, owner: ListenerOwner): Listener {
  return {
    name: listener.target.name,
    get address() {
      return listener.address
    },
    add: (service, implementation) => ({ remove: listener.services.add(owner, service, implementation) }),
  }
}
