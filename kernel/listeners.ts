import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

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

/** The gRPC listeners that plugins declare by name. The kernel declares `peer` (`peer.listenAddress`). */
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
