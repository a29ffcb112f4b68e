import { open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerPlan } from './plan.js'

const LOOK_EVERY_MS = 200
const PIECE_BYTES = 64 * 1024
/** Only so much of the end of a log is read for its last lines. */
const MAX_TAIL_BYTES = 64 * 1024 * 1024

/** The last lines of a peer's log; none if there is no log yet. */
export async function lastOf({ log }: PeerPlan, count: number): Promise<readonly string[]> {
  const size = await sizeOf(log)
  if (count === 0 || size === 0) return []
  const { text } = await read(log, Math.max(0, size - MAX_TAIL_BYTES), size)
  return text.replace(/\n$/, '').split('\n').slice(-count)
}

/** Prints what is added to the logs, until the signal. */
export async function followLogs(peers: readonly PeerPlan[], print: (id: string, line: string) => void, signal: AbortSignal): Promise<void> {
  const places = await Promise.all(peers.map(async (peer) => ({ peer, at: await sizeOf(peer.log), rest: '' })))
  while (!signal.aborted) {
    for (const place of places) {
      const size = await sizeOf(place.peer.log)
      // A log that was deleted or cut begins anew.
      if (size < place.at) place.at = 0
      while (place.at < size && !signal.aborted) {
        const { text, bytes } = await read(place.peer.log, place.at, Math.min(size, place.at + PIECE_BYTES))
        if (bytes === 0) break
        place.at += bytes
        const lines = (place.rest + text).split('\n')
        place.rest = lines.pop() ?? ''
        for (const line of lines) print(place.peer.id, line)
      }
    }
    await sleep(LOOK_EVERY_MS)
  }
}

async function read(file: string, from: number, to: number): Promise<{ readonly text: string; readonly bytes: number }> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from)
    return { text: buffer.toString('utf8', 0, bytesRead), bytes: bytesRead }
  } finally {
    await handle.close()
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}
