import type { Socket } from 'node:net'
import type { Clock, Logger } from '../../kernel/index.js'

const PERIOD_MS = 100
/** Connections that received less lately are never to blame. */
const BLAME_BYTES = 1024 * 1024

/** What is used of a socket. */
export interface GuardedConnection extends Pick<Socket, 'bytesRead' | 'remoteAddress' | 'remotePort'> {
  destroy(): unknown
}

/** What {@link guardBuffers} watches. */
export interface BufferGuardOptions {
  readonly maxBytes: number
  readonly connections: () => Iterable<GuardedConnection>
  readonly clock: Clock
  readonly log: Logger
  /** Bytes that buffers of the whole process hold. */
  readonly heldBytes?: () => number
}

/**
 * Bounds what messages that never end can take: each may be as long as `peer.limits.messageBytes`, on every stream of every connection, and
 * gRPC keeps what came of them. While the buffers of the process are above the limit and grow, the connection that has received most lately
 * is closed. Returns what ends the watch.
 */
export function guardBuffers({ maxBytes, connections, clock, log, heldBytes = () => process.memoryUsage().arrayBuffers }: BufferGuardOptions): () => void {
  let readBefore = new Map<GuardedConnection, { readonly bytes: number; readonly recent: number }>()
  let heldBefore = 0
  let cancel = (): void => undefined
  const check = (): void => {
    const read = new Map<GuardedConnection, { readonly bytes: number; readonly recent: number }>()
    let most: GuardedConnection | undefined
    let mostBytes = BLAME_BYTES
    for (const socket of connections()) {
      const before = readBefore.get(socket) ?? { bytes: 0, recent: 0 }
      const recent = before.recent * 0.9 + socket.bytesRead - before.bytes
      read.set(socket, { bytes: socket.bytesRead, recent })
      if (recent > mostBytes) [most, mostBytes] = [socket, recent]
    }
    const held = heldBytes()
    if (held > maxBytes && held > heldBefore && most !== undefined) {
      log.warning('closed the connection that sent most: received messages take more memory than peer.limits.bufferBytes', {
        remote: `${most.remoteAddress}:${most.remotePort}`,
        heldBytes: held,
        maxBytes,
      })
      most.destroy()
    }
    readBefore = read
    heldBefore = held
    schedule()
  }
  const schedule = (): void => {
    cancel = clock.setTimer(PERIOD_MS, check)
  }
  schedule()
  return () => cancel()
}
