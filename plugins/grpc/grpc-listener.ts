import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Clock, type Logger, endsWithin } from '../../kernel/index.js'
import { guardBuffers } from './buffer-guard.js'
import { Connections, type BindTarget } from './connections.js'
import type { Door, DoorParts } from './doors.js'
import { ServiceTable } from './service-table.js'
import type { ListenerTraffic } from './traffic.js'

/** What bounds the memory that clients of one listener can take. */
export interface ListenerLimits {
  /** Longest message in either direction, in bytes. */
  readonly messageBytes: number
  readonly connections: number
  /** Calls and streams at the same time on one connection; more wait at the client. */
  readonly streams: number
  /** What received messages may hold altogether, in bytes, finished or not. */
  readonly bufferBytes: number
}

const CLOSE_LIMIT_MS = 3000
/**
 * A connection without a call for so long is closed; clients dial again by themselves. Above all this ends what Node leaves behind when it
 * has answered a wrong frame with GOAWAY: a connection that neither side uses and whose end Node does not read any more.
 */
const IDLE_LIMIT_MS = 30 * 60_000

/** One gRPC server: its methods, its socket, its orderly end. */
export class GrpcListener {
  readonly services: ServiceTable
  readonly #server: Server
  readonly #limits: ListenerLimits
  readonly #log: Logger
  #connections: Connections | undefined
  #door: Door | undefined
  #endGuard: (() => void) | undefined
  #address: string

  constructor(
    readonly target: BindTarget,
    limits: ListenerLimits,
    log: Logger,
    private readonly clock: Clock,
    isGuarded: (path: string) => boolean = () => false,
  ) {
    this.#address = target.address
    this.#limits = limits
    this.#log = log
    // No keepalive pings and no connection age: originals ignore GOAWAY, so none is sent on a link in use (spec/wire.md §1).
    this.#server = new Server({
      'grpc.max_receive_message_length': limits.messageBytes,
      'grpc.max_send_message_length': limits.messageBytes,
      'grpc.max_concurrent_streams': limits.streams,
      'grpc.enable_channelz': 0,
      'grpc.max_connection_idle_ms': IDLE_LIMIT_MS,
    })
    this.services = new ServiceTable(this.#server, log, isGuarded)
  }

  get address(): string {
    return this.#address
  }

  get traffic(): ListenerTraffic {
    const { size = 0, accepted = 0 } = this.#connections ?? {}
    return { name: this.target.name, connections: size, acceptedConnections: accepted, methods: this.services.traffic() }
  }

  get isOpen(): boolean {
    return this.#connections !== undefined
  }

  async open(doorTo: (parts: DoorParts) => Door): Promise<void> {
    // grpc-js gets connections, TLS begun, instead of binding itself: so their number can be bounded, bind errors are precise, certificates can change.
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure())
    const door = doorTo({ enter: (connection) => injector.injectConnection(connection), log: this.#log, clock: this.clock })
    this.#door = door
    const connections = new Connections(this.#limits.connections, this.#log, this.clock, (socket) => door.admit(socket))
    this.#connections = connections
    this.#address = await connections.open(this.target)
    this.#endGuard = guardBuffers({ maxBytes: this.#limits.bufferBytes, connections: () => connections.sockets(), clock: this.clock, log: this.#log })
  }

  /** First half of the end: new connections and calls are refused, running ones go on. Resolves when they are over. */
  drain(): Promise<void> {
    this.#connections?.refuseNew()
    return new Promise((resolve) => this.#server.tryShutdown(() => resolve()))
  }

  /** Second half: waits for `drained`, at most 3 s, then cuts what is left. */
  async close(drained: Promise<void>): Promise<void> {
    await endsWithin(drained, CLOSE_LIMIT_MS, this.clock)
    this.#endGuard?.()
    this.#door?.close()
    this.#server.forceShutdown()
    this.#connections?.cut()
  }
}
