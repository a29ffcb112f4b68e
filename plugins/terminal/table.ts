import { printable } from './printable.js'

/**
 * Rows of cells, of which the first are the headings, as lines of text: a column is as wide as its widest cell. The last cell of a row with fewer cells goes over the
 * columns that it lacks. `figures`: columns after the first are aligned to the right. Text of others is made harmless.
 */
export function table(rows: readonly (readonly string[])[], figures?: 'figures'): string[] {
  const [headings = [], ...others] = rows.map((row) => row.map((cell) => printable(cell)))
  const all = [headings, ...others]
  const goesOver = (row: readonly string[], column: number): boolean => row.length < headings.length && column === row.length - 1
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (goesOver(row, column) ? 0 : (row[column]?.length ?? 0)))))
  const padded = (cell: string, column: number): string => {
    const width = widths[column] ?? 0
    return figures && column > 0 ? cell.padStart(width) : cell.padEnd(width)
  }
  return all.map((row) => row.map(padded).join('  ').trimEnd())
}
