import type { Style } from './paint.js'
import type { Row } from './row.js'
import type { Column } from './table.js'
import { grouped, memory, short, time, widthOf } from './text.js'

const MOST_NAME = 16
const MOST_ENGINE = 18
/** A validator this many blocks behind the highest is shown so. */
export const BEHIND_BLOCKS = 5n

/** What the columns must know of all rows. */
export interface Scope {
  readonly rows: readonly Row[]
  readonly height: bigint
  readonly epoch: bigint
}

/** The columns of the table of validators, from left to right. */
export function columnsOf({ rows, height, epoch }: Scope): readonly Column<Row>[] {
  const names = widest(
    rows.map(({ id }) => id),
    9,
    MOST_NAME,
  )
  const leaders = widest(
    rows.map(({ leader = '' }) => leader),
    6,
    MOST_NAME,
  )
  const swaps = rows.some(({ swap }) => swap)
  const text = (value: string | undefined, style: Style = 'plain') => ({ text: value ?? '-', style: value === undefined ? ('dim' as const) : style })
  const isBehind = (row: Row): boolean => row.height !== undefined && row.height + BEHIND_BLOCKS < height
  return [
    { title: 'validator', width: names, align: 'left', rank: 0, cell: ({ id }) => text(id, 'bold') },
    {
      title: 'engine',
      width: widest(
        rows.map(({ engine = '' }) => engine),
        10,
        MOST_ENGINE,
      ),
      align: 'left',
      rank: 4,
      cell: (row) => text(row.engine, row.epoch !== epoch ? 'yellow' : 'plain'),
    },
    { title: 'epoch', width: 5, align: 'right', rank: 2, cell: (row) => text(row.epoch?.toString(), row.epoch !== epoch ? 'yellow' : 'plain') },
    ...(swaps ? [swapColumn(rows)] : []),
    {
      title: 'view',
      width: widest(
        rows.map(({ view = '' }) => view),
        4,
        9,
      ),
      align: 'right',
      rank: 7,
      cell: ({ view }) => text(view),
    },
    { title: 'leader', width: leaders, align: 'left', rank: 6, cell: ({ leader }) => text(leader) },
    {
      title: 'height',
      width: 8,
      align: 'right',
      rank: 1,
      cell: (row) => text(row.height === undefined ? undefined : heightText(row.height), isBehind(row) ? 'yellow' : 'plain'),
    },
    { title: 'tx/s', width: 5, align: 'right', rank: 3, cell: ({ rates }) => text(rates.transactions === undefined ? undefined : short(rates.transactions)) },
    { title: 'latency', width: 7, align: 'right', rank: 8, cell: ({ rates }) => text(rates.latencyMs === undefined ? undefined : time(rates.latencyMs)) },
    { title: 'pool', width: 5, align: 'right', rank: 9, cell: ({ pool }) => text(pool === undefined ? undefined : short(pool)) },
    { title: 'in', width: 4, align: 'right', rank: 12, cell: ({ inbox }) => text(inbox === undefined ? undefined : short(inbox)) },
    { title: 'out', width: 4, align: 'right', rank: 13, cell: ({ outbox }) => text(outbox === undefined ? undefined : short(outbox)) },
    {
      title: 'links',
      width: 5,
      align: 'right',
      rank: 10,
      cell: ({ links }) => text(links && `${links.up}/${links.of}`, links && links.up < links.of ? 'yellow' : 'plain'),
    },
    { title: 'rtt', width: 6, align: 'right', rank: 11, cell: ({ roundTripMs }) => text(roundTripMs === undefined ? undefined : time(roundTripMs)) },
    { title: 'mem', width: 5, align: 'right', rank: 14, cell: ({ residentBytes }) => text(residentBytes === undefined ? undefined : memory(residentBytes)) },
    { title: 'cpu', width: 4, align: 'right', rank: 15, cell: ({ rates }) => text(rates.cpu === undefined ? undefined : `${Math.round(rates.cpu * 100)}%`) },
  ]
}

/** Grouped as long as that fits the column. */
function heightText(height: bigint): string {
  return height < 1_000_000n ? grouped(height) : String(height)
}

function swapColumn(rows: readonly Row[]): Column<Row> {
  return {
    title: 'swap',
    width: widest(
      rows.map(({ swap }) => swap?.phase ?? ''),
      10,
      12,
    ),
    align: 'left',
    rank: 5,
    cell: ({ swap }) => ({ text: swap?.phase ?? '-', style: swap ? 'cyan' : 'dim' }),
  }
}

function widest(texts: readonly string[], least: number, most: number): number {
  return Math.min(most, Math.max(least, ...texts.map(widthOf)))
}
