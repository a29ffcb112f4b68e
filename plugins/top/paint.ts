/** How a piece of a line looks. */
export type Style = 'plain' | 'bold' | 'dim' | 'inverse' | 'red' | 'yellow' | 'green' | 'cyan'

export interface Piece {
  readonly text: string
  readonly style: Style
}

/** One line, from left to right. */
export type Line = readonly Piece[]

const CODES: Readonly<Record<Exclude<Style, 'plain'>, string>> = { bold: '1', dim: '2', inverse: '7', red: '31', yellow: '33', green: '32', cyan: '36' }

export function piece(text: string, style: Style = 'plain'): Piece {
  return { text, style }
}

/** A line as a terminal shows it. */
export function painted(line: Line, hasColours: boolean): string {
  return line.map(({ text, style }) => (hasColours && style !== 'plain' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text)).join('')
}

/** Whether a stream is to get colours: https://no-color.org. */
export function wantsColours(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}
