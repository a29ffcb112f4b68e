import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { Clock } from './clock.js'
import type { ResolvedSettings } from './config/resolve.js'
import { PeerError } from './errors.js'
import type { Logger } from './logging.js'

/** A service added to a listener. `remove` makes its methods answer UNIMPLEMENTED until somebody adds it again. */
export interface ServiceHandle {
  remove(): void
}

/** One gRPC server on one address. */
export interface Listener {
  readonly name: string
  /** As configured; the port is the real one after `open` (also when 0 was asked for). */
  readonly address: string
  /**
   * Adds a service. Calls go to the implementation that is current when they arrive; until the `start` taps of the plugin
   * that adds it begin, they are answered UNAVAILABLE. Throws ERR_SERVICE_TAKEN while another plugin serves a method of it.
   */
  add(service: ServiceDefinition, implementation: UntypedServiceImplementation): ServiceHandle
}

/** The gRPC listeners that plugins declare by name; `peer` (`peer.listenAddress`) is always there. */
export interface Listeners {
  /**
   * Declares a listener, in the `registerServices` hook; it is bound right before the `start` hook.
   * The same name twice is an error that names both plugins (ERR_LISTENER_TWICE).
   *
   * @param key the configuration key of the address, named in errors as what to change
   */
  declare(name: string, address: string, key?: string): Listener
  /** Throws ERR_LISTENER_UNKNOWN with the names that exist. */
  get(name: string): Listener
}

/** The plugin on whose behalf something listens. */
export interface ListenerOwner {
  readonly name: string
  /** Set when its start taps begin: until then its services answer UNAVAILABLE. */
  ready: boolean
}

/** All listeners of one peer, as the kernel drives them; a plugin makes them (`Plugin.listeners`). */
export interface ListenerSet {
  /** The listeners as one plugin sees them: what it declares and adds is its own. */
  view(owner: ListenerOwner): Listeners
  /** Binds what is not bound yet. */
  open(): Promise<void>
  /** Takes out what a plugin added, and closes what it declared. `awaited`: a successor is on its way. */
  release(owner: ListenerOwner, awaited: boolean): Promise<void>
  /** No successor of a released plugin is awaited any longer. */
  settle(): void
  /** Refuses new connections and calls; running ones go on. */
  drain(): void
  close(): Promise<void>
}

/** What listeners are made with. */
export interface ListenerParts extends Pick<ResolvedSettings, 'settings'> {
  readonly log: Logger
  readonly clock: Clock
}

function missing(): never {
  throw new PeerError('ERR_LISTENER_MISSING', 'no plugin of this site brings listeners', { hint: 'add weft/plugins/grpc to plugins' })
}

/** The listeners of a peer without a plugin that brings some: asking for one is an error. */
export const noListeners: Listeners = Object.freeze<Listeners>({ declare: missing, get: missing })
