import { type Line, type Piece, piece, type Style } from './paint.js'
import { fit, widthOf } from './text.js'

/** One column of a table of `Row`s. */
export interface Column<Row> {
  readonly title: string
  /** Columns of the terminal: fixed, so that nothing moves when a number grows. */
  readonly width: number
  readonly align: 'left' | 'right'
  /** Where there is little room the columns with the highest numbers go first. */
  readonly rank: number
  readonly cell: (row: Row) => { readonly text: string; readonly style?: Style }
}

/** A row of cells, or one text across all but the first column. */
export interface TableRow<Row> {
  readonly row: Row
  readonly style: Style
  readonly instead: string | undefined
}

const GAPS = [2, 1]

/** Lines of a table within so many columns: the gaps become narrower first, then columns are left out. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly TableRow<Row>[], width: number): Line[] {
  const { shown, gap } = choose(columns, width)
  const space = ' '.repeat(gap)
  const header = shown.map(({ title, width: wide, align }) => fit(title, wide, align)).join(space)
  return [
    [piece(fit(header, width), 'inverse')],
    ...rows.map(({ row, style, instead }): Line => {
      const cells = shown.map(({ cell, width: wide, align }): Piece => {
        const { text, style: own = style } = cell(row)
        return piece(fit(text, wide, align), style === 'plain' ? own : style)
      })
      const [first] = cells
      if (instead === undefined || !first) return cells.flatMap((cell, index) => (index === 0 ? [cell] : [piece(space), cell]))
      return [first, piece(space), piece(fit(instead, width - widthOf(first.text) - gap).trimEnd(), style)]
    }),
  ]
}

function choose<Row>(columns: readonly Column<Row>[], width: number): { readonly shown: readonly Column<Row>[]; readonly gap: number } {
  for (const gap of GAPS) if (total(columns, gap) <= width) return { shown: columns, gap }
  // As many as fit, the most important first, each where it belongs.
  const byRank = [...columns].sort((a, b) => a.rank - b.rank)
  let kept: readonly Column<Row>[] = byRank.slice(0, 1)
  for (const column of byRank.slice(1)) {
    const wider = [...kept, column]
    if (total(wider, 1) > width) break
    kept = wider
  }
  return { shown: columns.filter((column) => kept.includes(column)), gap: total(kept, 2) <= width ? 2 : 1 }
}

function total<Row>(columns: readonly Column<Row>[], gap: number): number {
  return columns.reduce((sum, { width }) => sum + width, gap * (columns.length - 1))
}
