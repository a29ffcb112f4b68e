import { readdir } from 'node:fs/promises'
import { getHeapStatistics } from 'node:v8'
import manifest from '../../../package.json' with { type: 'json' }
import type { GcWatch } from '../gc-watch.js'
import type { LoopWatch } from '../loop-watch.js'
import type { Metrics } from '../metrics.js'
import { distributionOf } from './distribution.js'

const startSeconds = (): number => (Date.now() - process.uptime() * 1000) / 1000

/** The process and its event loop. */
export function addProcessMetrics(metrics: Metrics, loop: LoopWatch, gc: GcWatch): void {
  metrics.gauge({ name: 'peer_build_version_info', help: 'Always 1; the labels say what runs.', labels: ['version', 'node'] }, () => [
    { labels: { version: manifest.version, node: process.version }, value: 1 },
  ])
  metrics.counter({ name: 'peer_process_cpu_seconds_total', help: 'CPU time of the process, all threads.', labels: ['mode'] }, () => {
    const { user, system } = process.cpuUsage()
    return [
      { labels: { mode: 'user' }, value: user / 1e6 },
      { labels: { mode: 'system' }, value: system / 1e6 },
    ]
  })
  metrics.gauge({ name: 'peer_process_start_seconds', help: 'When the process was started, in seconds since 1970.' }, startSeconds)
  metrics.gauge({ name: 'peer_process_memory_bytes', help: 'Memory of the process, by kind.', labels: ['kind'] }, () => {
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage()
    const kinds = {
      resident: rss,
      heap_total: heapTotal,
      heap_used: heapUsed,
      heap_limit: getHeapStatistics().heap_size_limit,
      external,
      buffers: arrayBuffers,
    }
    return Object.entries(kinds).map(([kind, value]) => ({ labels: { kind }, value }))
  })
  metrics.gauge({ name: 'peer_process_active_handles', help: 'What keeps the event loop alive: sockets, timers, requests; by type.', labels: ['type'] }, () => {
    const byType = new Map<string, number>()
    for (const type of process.getActiveResourcesInfo()) byType.set(type, (byType.get(type) ?? 0) + 1)
    return [...byType].map(([type, value]) => ({ labels: { type }, value }))
  })
  metrics.gauge({ name: 'peer_process_open_files', help: 'Open file descriptors; only where the system has /proc.' }, openFiles)
  metrics.histogram({ name: 'peer_process_gc_seconds', help: 'Duration of garbage collections, by kind.', labels: ['kind'] }, () =>
    [...gc.byKind].map(([kind, durations]) => distributionOf(durations, { kind })),
  )
  metrics.gauge(
    {
      name: 'peer_eventloop_delay_seconds',
      help: 'How late the event loop was within the last ten seconds, by quantile (1: the longest).',
      labels: ['quantile'],
    },
    () => {
      const { p50, p99, max } = loop.delays()
      return [
        { labels: { quantile: '0.5' }, value: p50 },
        { labels: { quantile: '0.99' }, value: p99 },
        { labels: { quantile: '1' }, value: max },
      ]
    },
  )
  metrics.counter({ name: 'peer_eventloop_active_seconds_total', help: 'Time that the event loop was at work; its rate is its utilisation.' }, () =>
    loop.activeSeconds(),
  )
}

async function openFiles(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined
  return (await readdir('/proc/self/fd')).length
}
