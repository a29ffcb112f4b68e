import { createHash } from 'node:crypto'
import type { LogFacts, Logger, LogLevel } from '../../kernel/index.js'
import type { EngineEvent } from '../../plugins/consensus/index.js'
import type { Endpoint } from './link-table.js'
import type { CrashKind } from './memory-disk.js'

/** Something that happened in a run. Endpoints are members; from the number of members on, second instances of twins. */
export type TraceEvent =
  | { readonly type: 'starts' | 'stops' | 'repairs'; readonly at: Endpoint }
  | { readonly type: 'runs'; readonly at: Endpoint; readonly height: bigint }
  | { readonly type: 'crashes'; readonly at: Endpoint; readonly kind: CrashKind | 'disk' }
  | { readonly type: 'event'; readonly at: Endpoint; readonly event: EngineEvent }
  | { readonly type: 'vote'; readonly at: Endpoint; readonly slot: string; readonly value: string }
  | { readonly type: 'accepted'; readonly at: Endpoint; readonly txid: string }
  | { readonly type: 'logs'; readonly at: Endpoint; readonly level: LogLevel; readonly text: string }
  | { readonly type: 'committed'; readonly at: Endpoint; readonly block: bigint; readonly hash: string; readonly transactions: number }
  | { readonly type: 'link'; readonly a: Endpoint; readonly b: Endpoint; readonly up: boolean }
  | { readonly type: 'sent' | 'received'; readonly id: number; readonly from: Endpoint; readonly to: Endpoint; readonly bytes: Uint8Array }
  | { readonly type: 'fault'; readonly text: string; readonly begins: boolean; readonly members: readonly Endpoint[]; readonly fault: number }
  | { readonly type: 'violation'; readonly kind: string; readonly text: string }

/** An event with its moment in virtual milliseconds. */
export interface Traced {
  readonly atMs: number
  readonly event: TraceEvent
}

/** Where events go. */
export interface TraceSink {
  add(event: TraceEvent): void
}

/** What happened in a run: two runs with the same seed have the same lines, byte for byte. */
export interface Trace {
  /** One line per event. */
  readonly lines: readonly string[]
  readonly events: readonly Traced[]
  /** Undefined: the trace is off. */
  readonly sink: TraceSink | undefined
}

export function createTrace(nowMs: () => number, isOn: boolean): Trace {
  return new RunTrace(nowMs, isOn)
}

class RunTrace implements Trace {
  readonly events: Traced[] = []
  readonly sink: TraceSink | undefined

  constructor(nowMs: () => number, isOn: boolean) {
    this.sink = isOn ? { add: (event) => void this.events.push({ atMs: nowMs(), event }) } : undefined
  }

  get lines(): readonly string[] {
    return this.events.map(({ atMs, event }) => `${atMs.toFixed(3)} ${describeTraced(event)}`)
  }
}

/** A logger whose lines are in the trace as well: what an engine says with `host.log`, and its host. */
export function tracedLogger(log: Logger, sink: TraceSink, at: Endpoint): Logger {
  const traced = (level: LogLevel) => (text: string, facts?: LogFacts) => {
    sink.add({ type: 'logs', at, level, text })
    log[level](text, facts)
  }
  return {
    ...log,
    critical: traced('critical'),
    error: traced('error'),
    warning: traced('warning'),
    notice: traced('notice'),
    info: traced('info'),
    debug: traced('debug'),
    in: (area) => tracedLogger(log.in(area), sink, at),
  }
}

/** One line for an event of a run. */
export function describeTraced(event: TraceEvent): string {
  switch (event.type) {
    case 'starts':
    case 'stops':
    case 'repairs':
      return `vp${event.at} ${event.type}`
    case 'runs':
      return `vp${event.at} runs at height ${event.height}`
    case 'crashes':
      return `vp${event.at} crashes (${event.kind})`
    case 'event':
      return `vp${event.at} < ${describeEvent(event.event)}`
    case 'vote':
      return `vp${event.at} votes in '${event.slot}' for ${event.value}`
    case 'logs':
      return `vp${event.at} logs ${event.level} ${JSON.stringify(event.text)}`
    case 'accepted':
      return `vp${event.at} accepted ${event.txid}`
    case 'committed':
      return `vp${event.at} committed block ${event.block} ${event.hash} with ${event.transactions} transactions`
    case 'link':
      return `link ${event.a}-${event.b} ${event.up ? 'up' : 'down'}`
    case 'sent':
    case 'received':
      return `message ${event.id} ${event.from}>${event.to} ${event.type} ${event.bytes.length} bytes ${shortHash(event.bytes)}`
    case 'fault':
      return `${event.begins ? 'begins' : 'ends'}: ${event.text}`
    case 'violation':
      break
  }
  return `${event.kind}: ${event.text}`
}

/** One line for what an engine is told. */
export function describeEvent(event: EngineEvent): string {
  switch (event.type) {
    case 'request':
      return `request ${event.request.id.slice(0, 12)}`
    case 'message':
      return `message from vp${event.from} ${event.bytes.length} bytes ${shortHash(event.bytes)}`
    case 'peer':
      return `vp${event.member} ${event.up ? 'up' : 'down'}`
    case 'timer':
      return `timer ${event.name}`
    case 'executed':
      return `executed ${event.tag} ${shortHash(event.stateHash ?? new Uint8Array())}`
    case 'delivered':
      return `delivered ${event.tag} ${event.block === 'skipped' ? 'skipped' : `block ${event.block.number} ${shortHash(event.block.hash)}`}`
    case 'transferred':
      return `transferred ${event.result.reached ? `to ${event.result.head.height}` : `not: ${event.result.reason}`}`
    case 'signed':
      return `signed ${event.token}`
    case 'verified':
      return `verified ${event.token} ${event.verdicts.join(',')}`
    case 'sealed':
      break
  }
  return `sealed at ${event.height}`
}

export function shortHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12)
}
