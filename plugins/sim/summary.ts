import type { Tally } from './outcome.js'

const SHOWN = 10
const BAR = 30

/** What a person reads at the end. */
export function summaryText(
  what: {
    readonly engine: string
    readonly version: string
    readonly validators: number
    readonly faults: readonly string[]
    readonly successors: readonly string[]
  },
  tally: Tally,
  cpuSeconds: number,
): string {
  const lines = [
    `${what.engine} ${what.version}, ${what.validators} validators, faults: ${what.faults.join(', ') || 'none'}`,
    `${count(tally.seeds)} seeds: ${count(tally.accepted)} requests in ${count(tally.blocks)} blocks, ${count(tally.steps)} events, ${hours(tally.virtualMs)} of virtual time, ${cpuSeconds.toFixed(1)} s of CPU`,
  ]
  if (what.successors.length > 0) {
    const { prepared, happened, cancelled } = tally.swaps
    lines.push(`swaps to ${what.successors.join(', ')} and back: ${count(prepared)} prepared, ${count(happened)} happened, ${count(cancelled)} cancelled`)
  }
  if (tally.failures.length === 0) return `${[...lines, 'everything held: safety, liveness and contract'].join('\n')}\n`
  const kinds = ['safety', 'liveness', 'contract'].flatMap((kind) => {
    const found = tally.failures.filter(({ failure }) => failure.kind === kind).length
    return found === 0 ? [] : [`${kind} in ${found}`]
  })
  const failures = [...tally.failures].sort((a, b) => a.seed - b.seed).slice(0, SHOWN)
  const more = tally.failures.length > SHOWN ? [`  … and ${tally.failures.length - SHOWN} more`] : []
  return `${[...lines, `BROKEN: ${kinds.join(', ')}`, ...failures.map(({ seed, failure }) => `  seed ${seed}: ${failure.kind}: ${failure.statement}`), ...more].join('\n')}\n`
}

/** A line that shows how far it is. */
export function progressLine(done: number, total: number, failed: number, elapsedMs: number): string {
  const filled = Math.round((done / total) * BAR)
  const restS = done === 0 ? undefined : Math.ceil(((elapsedMs / done) * (total - done)) / 1000)
  return `\r\u001b[K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${done}/${total} seeds${failed > 0 ? `, ${failed} failed` : ''}${restS === undefined ? '' : `, ${restS} s left`}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function hours(ms: number): string {
  if (ms < 120_000) return `${(ms / 1000).toFixed(0)} s`
  return ms < 7_200_000 ? `${(ms / 60_000).toFixed(0)} min` : `${(ms / 3_600_000).toFixed(1)} h`
}
