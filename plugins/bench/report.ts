import type { Report, Row } from './scenario.js'

const HEADER = ['load', 'committed/s', 'p50 ms', 'p99 ms', 'refused', 'CPU µs/tx, all', 'each validator', 'client']

/** A report for people. */
export function textOf({ validators, meshMs, rows, restartMs, wipedMs, peakMiB, acknowledged, found }: Report): string {
  const table = [HEADER, ...rows.map(cells)]
  const widths = HEADER.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => row.map((word, column) => (column === 0 ? word.padEnd(widths[column] ?? 0) : word.padStart(widths[column] ?? 0))).join('  '))
  const errors = rows.flatMap(({ name, result }) => result.errors.map((error) => `${name}: ${error}`))
  return [
    ...lines,
    '',
    `${validators} validators, from nothing to ordering in ${seconds(meshMs)}`,
    `a validator that was killed is in step again, under load, after ${seconds(restartMs)}; with its disk lost after ${seconds(wipedMs)}`,
    `most memory: ${peakMiB.map((size) => `${Math.round(size)} MiB`).join(', ')}`,
    `answered as committed: ${acknowledged}; found in the state of each validator: ${found.join(', ')}`,
    ...(errors.length === 0 ? [] : ['', 'errors', ...errors]),
    '',
  ].join('\n')
}

/** Whether nothing that was answered as committed is missing, and all validators have the same. */
export function isWhole({ acknowledged, found }: Report): boolean {
  return found.every((count) => count === found[0] && count >= acknowledged)
}

/** One row, as it comes. */
export function rowText(row: Row): string {
  return cells(row)
    .map((word, column) => `${HEADER[column]} ${word}`)
    .join(', ')
}

function cells({ name, result, cpuMicros, clientMicros }: Row): readonly string[] {
  const all = cpuMicros.reduce((sum, each) => sum + each, 0)
  return [
    name,
    result.perSecond.toFixed(0),
    result.p50Ms.toFixed(1),
    result.p99Ms.toFixed(1),
    String(result.refused),
    all.toFixed(0),
    cpuMicros.length > 4 ? `${Math.round(Math.min(...cpuMicros))}..${Math.round(Math.max(...cpuMicros))}` : cpuMicros.map((each) => each.toFixed(0)).join(' '),
    clientMicros.toFixed(0),
  ]
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
