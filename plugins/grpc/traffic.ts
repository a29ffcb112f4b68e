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
