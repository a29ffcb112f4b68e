import { Session, type Profiler } from 'node:inspector/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PprofBuilder } from './pprof-builder.js'
import type { CallFrame, SourceNames } from './source-names.js'

/** V8 looks at the stack a thousand times a second. */
const INTERVAL_MICROS = 1000
const NANOS_PER_MICRO = 1000

/** Time in which nothing ran is no CPU time. */
const IDLE = '(idle)'

/**
 * Samples what the main thread does for so many seconds; a gzipped pprof profile with the values samples/count and cpu/nanoseconds.
 * Rejects with the signal's reason when it is aborted.
 */
export async function cpuProfile(seconds: number, names: SourceNames, signal: AbortSignal): Promise<Buffer> {
  const session = new Session()
  session.connect()
  try {
    const startMs = Date.now()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS })
    await session.post('Profiler.start')
    await sleep(seconds * 1000, undefined, { signal })
    const { profile } = await session.post('Profiler.stop')
    return await encodeCpuProfile(profile, names, startMs)
  } finally {
    session.disconnect()
  }
}

/** V8's profile in pprof format. */
export async function encodeCpuProfile(profile: Profiler.Profile, names: SourceNames, startMs: number): Promise<Buffer> {
  const builder = new PprofBuilder(names, {
    kinds: [
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ],
    periodKind: ['cpu', 'nanoseconds'],
    period: INTERVAL_MICROS * NANOS_PER_MICRO,
    startMs,
    durationMs: (profile.endTime - profile.startTime) / 1000,
  })
  const stacks = stacksOf(profile.nodes)
  for (const [id, { count, micros }] of timesOf(profile)) {
    const stack = stacks.get(id)
    if (stack !== undefined && stack.length > 0 && stack[0]?.functionName !== IDLE) builder.add(stack, [count, micros * NANOS_PER_MICRO])
  }
  return builder.encode()
}

/** A sample counts for the time until the next one; the last until the end. */
function timesOf({ samples = [], timeDeltas = [], startTime, endTime }: Profiler.Profile): Map<number, { count: number; micros: number }> {
  const times = new Map<number, { count: number; micros: number }>()
  let at = startTime
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index] ?? 0
    const until = index + 1 < samples.length ? at + (timeDeltas[index + 1] ?? 0) : endTime
    const entry = times.get(id) ?? { count: 0, micros: 0 }
    entry.count++
    entry.micros += Math.max(0, until - at)
    times.set(id, entry)
  }
  return times
}

/** Of each node the stack that leads to it, innermost first, without V8's (root). */
function stacksOf(nodes: readonly Profiler.ProfileNode[]): Map<number, CallFrame[]> {
  const parents = new Map<number, number>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const stacks = new Map<number, CallFrame[]>()
  for (const { id } of nodes) {
    const stack: CallFrame[] = []
    for (let at: number | undefined = id; at !== undefined && parents.has(at); at = parents.get(at)) {
      const frame = byId.get(at)?.callFrame
      if (frame !== undefined) stack.push(frame)
    }
    stacks.set(id, stack)
  }
  return stacks
}
