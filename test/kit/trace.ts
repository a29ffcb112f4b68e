import { createHash } from 'node:crypto'
import type { EngineEvent } from '../../plugins/consensus/index.js'

/** What happened in a run, line by line: two runs with the same seed have the same trace, byte for byte. */
export interface Trace {
  /** `line` is made only if the trace is on. */
  add(line: () => string): void
  readonly lines: readonly string[]
}

export function createTrace(nowMs: () => number, isOn: boolean): Trace {
  const lines: string[] = []
  return {
    lines,
    add(line) {
      if (isOn) lines.push(`${nowMs().toFixed(3)} ${line()}`)
    },
  }
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
