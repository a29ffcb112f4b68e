import type { Listeners } from '../../kernel/index.js'
import { createToken } from '../../kernel/index.js'

/** gRPC knows the codes 0 to 16. */
const MAX_CODE = 16

/** Calls of one method since the start, finished ones by status code. Plain numbers: counting costs an addition. */
export class MethodTraffic {
  readonly endedByCode: number[] = Array.from({ length: MAX_CODE + 1 }, () => 0)
  /** Calls and streams that have not ended. */
  open = 0

  constructor(readonly path: string) {}

  began(): void {
    this.open++
  }

  ended(code: number): void {
    this.open--
    // Whatever is no code of gRPC is what gRPC calls UNKNOWN.
    const known = Number.isInteger(code) && code >= 0 && code <= MAX_CODE ? code : 2
    this.endedByCode[known] = (this.endedByCode[known] ?? 0) + 1
  }
}

/** What one listener has to do. */
export interface ListenerTraffic {
  readonly name: string
  readonly connections: number
  readonly acceptedConnections: number
  readonly methods: Iterable<MethodTraffic>
}

/** What the gRPC listeners of a peer have to do; read by whoever watches the peer. */
export interface Traffic {
  listeners(): readonly ListenerTraffic[]
}

/** Connections and calls of the gRPC listeners. */
export const TRAFFIC = createToken<Traffic>('grpc traffic', 'weft/plugins/grpc')

const SOURCE = Symbol('traffic')

/** A plugin's view of the listeners that also leads to their traffic: the listeners of a peer are made before its plugins have services. */
export interface WatchedListeners extends Listeners {
  readonly [SOURCE]: Traffic
}

export function watched(listeners: Listeners, traffic: Traffic): WatchedListeners {
  return Object.freeze<WatchedListeners>({ ...listeners, [SOURCE]: traffic })
}

/** The traffic of listeners; none of such as another plugin made. */
export function trafficOf(listeners: Listeners): Traffic {
  return isWatched(listeners) ? listeners[SOURCE] : { listeners: () => [] }
}

function isWatched(listeners: Listeners): listeners is WatchedListeners {
  return SOURCE in listeners
}
