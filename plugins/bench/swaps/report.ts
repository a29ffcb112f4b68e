import { table } from '../../terminal/index.js'
import type { SwapRow, SwapsReport } from './swaps.js'

/** p50, p99 and the greatest of some numbers. */
export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((left, right) => left - right)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? Number.NaN }
}

/** A bystander's synced write that takes longer than this, in milliseconds, says that the disk stood still for everybody. */
const STANDSTILL_MS = 100

/** Whether nothing is lost, doubled or reordered, and all chains are one. */
export function isWhole({ lost, doubled, reordered, heads }: SwapsReport): boolean {
  return lost === 0 && doubled === 0 && reordered.every((count) => count === 0) && new Set(heads).size === 1
}

/** A report for people: gaps by kind of swap and of all, and what became of the transactions. */
export function swapsText(report: SwapsReport): string {
  const { rows, load, validators, rate, acknowledged, lost, doubled, reordered, heads } = report
  const kinds = new Map<string, SwapRow[]>()
  for (const row of rows) kinds.set(`${row.from} to ${row.to}`, [...(kinds.get(`${row.from} to ${row.to}`) ?? []), row])
  const gaps = ['gap', 'of a quorum', 'without a swap'].flatMap((what) => [`${what} p50`, 'p99', 'max ms'])
  const header = ['swap', 'times', ...gaps, 'took p50', 'max ms']
  const lines = table([header, ...[...kinds].map(([name, some]) => cells(name, some)), cells('all', rows)], 'figures')
  return [
    `${rows.length} swaps in a network of ${validators} under ${rate} transactions a second (${load.perSecond.toFixed(0)} committed a second, p50 ${load.p50Ms.toFixed(0)} ms, p99 ${load.p99Ms.toFixed(0)} ms, ${load.refused} refused)`,
    '',
    ...lines,
    '',
    ...diskText(report),
    '',
    `acknowledged ${acknowledged}, of them lost ${lost}; in the chain more than once ${doubled}; out of order at one door ${reordered.join(', ')}`,
    new Set(heads).size === 1 ? 'all validators have the same chain' : `THE CHAINS DIFFER: ${heads.join(', ')}`,
    ...load.errors,
    '',
  ].join('\n')
}

/** What the disk did to somebody who takes no part, and the gaps while it did not stand still. */
function diskText({ rows, diskMs }: SwapsReport): string[] {
  const steady = rows.filter((row) => row.diskMs <= STANDSTILL_MS)
  const words = (numbers: readonly number[]): string => {
    const { p50, p99, max } = spreadOf(numbers)
    return `p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, max ${max.toFixed(0)} ms`
  }
  const stood = `a bystander's synced write of 4 KiB on the same disk: ${words(diskMs)}; more than ${STANDSTILL_MS} ms during ${rows.length - steady.length} of the ${rows.length} swaps`
  if (steady.length === 0) return [stood]
  return [
    stood,
    `gap of the other ${steady.length}: ${words(steady.map(({ gapMs }) => gapMs))}; of a quorum: ${words(steady.map(({ quorumGapMs }) => quorumGapMs))}`,
  ]
}

function cells(name: string, rows: readonly SwapRow[]): string[] {
  const words = ({ p50, p99, max }: Spread): string[] => [p50, p99, max].map((number) => number.toFixed(0))
  const took = spreadOf(rows.map(({ tookMs }) => tookMs))
  return [
    name,
    String(rows.length),
    ...words(spreadOf(rows.map(({ gapMs }) => gapMs))),
    ...words(spreadOf(rows.map(({ quorumGapMs }) => quorumGapMs))),
    ...words(spreadOf(rows.map(({ quietMs }) => quietMs))),
    took.p50.toFixed(0),
    took.max.toFixed(0),
  ]
}
