import { table } from '../terminal/index.js'
import type { NetworkReport, Row } from './scenario.js'

/** Everything that one run measured. */
export interface Report {
  readonly at: string
  readonly node: string
  readonly processors: number
  /** Load averages of 1, 5 and 15 minutes, when it began and when it had ended: above the number of processors the figures are those of a busy machine. */
  readonly loadBefore: readonly number[]
  readonly loadAfter: readonly number[]
  readonly networks: readonly NetworkReport[]
}

const HEADER = ['load', 'committed/s', 'p50 ms', 'p99 ms', 'refused', 'CPU µs/tx, all', 'each validator', 'chaincode', 'client']

/** A report for people. */
export function textOf({ at, node, processors, loadBefore, loadAfter, networks }: Report): string {
  const rows = networks.flatMap((network) => network.rows)
  const lines = table([HEADER, ...rows.map(cells)], 'figures')
  const errors = networks.flatMap((network) => network.errors)
  const load = (averages: readonly number[]): string => averages.map((average) => average.toFixed(1)).join(' ')
  return [
    `${at}, Node ${node}, ${processors} processors, load average ${load(loadBefore)} before and ${load(loadAfter)} after`,
    '',
    ...lines,
    '',
    ...networks.flatMap(networkLines),
    ...(errors.length === 0 ? [] : ['', 'errors', ...errors]),
    '',
  ].join('\n')
}

/**
 * Whether all validators have the same: what was answered as committed, nothing that was rejected or refused, nothing twice. Only what has no answer may be in their state or not.
 */
export function isWhole({ counts: { committed, unknown }, found }: NetworkReport): boolean {
  return found.every((count) => count === found[0] && count >= committed && count <= committed + unknown)
}

/** One row, as it comes. */
export function rowText(row: Row): string {
  return cells(row)
    .map((word, column) => `${HEADER[column]} ${word}`)
    .join(', ')
}

function networkLines({ network, meshMs, restartMs, wipedMs, peakMiB, counts, found }: NetworkReport): readonly string[] {
  const shown = new Set(found).size === 1 ? `${found[0]}` : found.join(', ')
  return [
    `${network}: from nothing to ordering in ${seconds(meshMs)}; most memory ${span(peakMiB)} MiB`,
    ...(restartMs === undefined || wipedMs === undefined
      ? []
      : [`${network}: a validator that was killed is in step again, under load, after ${seconds(restartMs)}; with its disk lost after ${seconds(wipedMs)}`]),
    `${network}: sent ${counts.sent}: committed ${counts.committed}, rejected ${counts.rejected}, refused ${counts.refused}, unknown ${counts.unknown}; in the state of each validator ${shown}`,
  ]
}

function cells({ name, result, cpuMicros, chaincodeMicros, clientMicros }: Row): readonly string[] {
  const all = cpuMicros.reduce((sum, each) => sum + each, 0)
  return [
    name,
    result.perSecond.toFixed(0),
    result.p50Ms.toFixed(1),
    result.p99Ms.toFixed(1),
    String(result.refused),
    all.toFixed(0),
    cpuMicros.length > 4 ? span(cpuMicros) : cpuMicros.map((each) => each.toFixed(0)).join(' '),
    chaincodeMicros === 0 ? '-' : chaincodeMicros.toFixed(0),
    clientMicros.toFixed(0),
  ]
}

function span(numbers: readonly number[]): string {
  const [least, most] = [Math.round(Math.min(...numbers)), Math.round(Math.max(...numbers))]
  return least === most ? String(least) : `${least}..${most}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
