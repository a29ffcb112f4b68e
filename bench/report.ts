/** One line of the bench. `undefined`: not measured here. */
export interface Row {
  readonly name: string
  readonly perSecond: number | undefined
  /** CPU of the process measured (the peer, the echo server, the store), per committed transaction or call. */
  readonly cpuMicros: number | undefined
  /** CPU of the bare echo for each call, measured at the same rate directly before and after. */
  readonly echoMicros: number | undefined
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly peakMiB: number | undefined
  readonly note: string
}

const COLUMNS = ['per second', 'CPU us each', 'of an echo', 'p50 ms', 'p99 ms', 'peak MiB'] as const

export function printRows(rows: readonly Row[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ node: process.version, rows }))
    return
  }
  const width = Math.max(...rows.map(({ name }) => name.length))
  console.log(`${'what'.padEnd(width)}${COLUMNS.map((column) => column.padStart(13)).join('')}  note`)
  for (const row of rows) {
    const figures = [row.perSecond, row.cpuMicros, ratioOf(row), row.p50Ms, row.p99Ms, row.peakMiB].map((figure, index) => shown(figure, index).padStart(13))
    console.log(`${row.name.padEnd(width)}${figures.join('')}  ${row.note}`)
  }
}

function ratioOf({ cpuMicros, echoMicros }: Row): number | undefined {
  return cpuMicros === undefined || echoMicros === undefined ? undefined : cpuMicros / echoMicros
}

const DECIMALS = [0, 0, 2, 1, 1, 0]

function shown(figure: number | undefined, column: number): string {
  return figure === undefined ? '-' : figure.toFixed(DECIMALS[column] ?? 0)
}
