import { Socket } from 'node:net'
import { ChildProcess } from 'node:child_process'
import { Server } from 'node:net'
import { PprofBuilder } from './pprof-builder.js'
import type { SourceNames } from './source-names.js'

/** What keeps the event loop alive, by type: what a goroutine dump is to Go. */
export function resourceCounts(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1)
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** As people read it; `detailed`: each socket, server and child process on a line of its own. */
export function resourcesText(detailed: boolean): string {
  const counts = resourceCounts()
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const lines = [`resources: total ${total}`, ...[...counts].map(([type, count]) => `${count} @ ${type}`)]
  if (detailed) lines.push('', ...handles().map(handleText))
  return `${lines.join('\n')}\n`
}

/** As pprof reads it: one stack of one frame a type. */
export function resourcesProfile(names: SourceNames): Promise<Buffer> {
  const kind = ['goroutine', 'count'] as const
  const builder = new PprofBuilder(names, { kinds: [kind], periodKind: kind, period: 1, startMs: Date.now(), durationMs: 0 })
  for (const [type, count] of resourceCounts()) builder.add([{ functionName: type, url: '', lineNumber: 0, columnNumber: 0 }], [count])
  return builder.encode()
}

/** Node has them, undocumented; without them there are no details. */
function handles(): readonly unknown[] {
  const read: unknown = Reflect.get(process, '_getActiveHandles')
  const found: unknown = typeof read === 'function' ? Reflect.apply(read, process, []) : []
  return Array.isArray(found) ? found : []
}

function handleText(handle: unknown): string {
  if (handle instanceof Socket) {
    const { localAddress, localPort, remoteAddress, remotePort, bytesRead, bytesWritten } = handle
    if (remoteAddress === undefined) return `socket or pipe, ${bytesRead} bytes in, ${bytesWritten} out`
    return `socket ${localAddress}:${localPort} - ${remoteAddress}:${remotePort}, ${bytesRead} bytes in, ${bytesWritten} out`
  }
  if (handle instanceof Server) {
    const address = handle.address()
    return typeof address === 'object' && address !== null ? `server ${address.address}:${address.port}` : `server ${address ?? ''}`
  }
  if (handle instanceof ChildProcess) return `child process ${handle.pid}: ${handle.spawnfile}`
  return typeof handle === 'object' && handle !== null ? handle.constructor.name : typeof handle
}
