import { printable } from '../terminal/printable.js'

/** A line of a stack, as V8 writes it. */
export interface StackFrame {
  /** Of the function; empty at the top of a module. */
  readonly name: string
  readonly file: string
  /** From 1, as is the column. */
  readonly line: number
  readonly column: number
}

const FRAME = /^\s*at (?:(?:async )?(.*?) \()?([^()]+):(\d+):(\d+)\)?$/
const MOST_FRAMES = 3
const MOST_CHARACTERS = 1000
const MOST_CHARACTERS_OF_A_LINE = 2000

/**
 * What was thrown, with the places that led to it, innermost first: `boom at onTimer (src/index.ts:42:7)`. `placeOf` says where a frame is for its author;
 * undefined: it is not his. Places are for people: they decide nothing, and differ between peers that have the code from elsewhere.
 */
export function thrownText(thrown: unknown, placeOf: (frame: StackFrame) => string | undefined): string {
  const places = framesOf(thrown).flatMap((frame) => {
    const place = placeOf(frame)
    return place === undefined ? [] : [frame.name === '' ? `at ${place}` : `at ${frame.name} (${place})`]
  })
  return printable([printable(messageOf(thrown), MOST_CHARACTERS), ...places.slice(0, MOST_FRAMES)].join(' '), 2 * MOST_CHARACTERS)
}

/** Whatever was thrown: reading it may throw again. */
function messageOf(thrown: unknown): string {
  return orElse('something that cannot be shown', () => String(thrown instanceof Error ? thrown.message : thrown))
}

/** For what may throw when it is only looked at. */
export function orElse<T>(fallback: T, read: () => T): T {
  try {
    return read()
  } catch {
    return fallback
  }
}

function framesOf(thrown: unknown): StackFrame[] {
  const stack: unknown = orElse(undefined, () => (thrown instanceof Error ? thrown.stack : undefined))
  if (typeof stack !== 'string') return []
  return stack.split('\n').flatMap((text) => {
    const [, name = '', file = '', line, column] = text.length > MOST_CHARACTERS_OF_A_LINE ? [] : (FRAME.exec(text) ?? [])
    const shown = name.replace(/^(Object|Module)\./, '').replace(/ \[as .*\]$/, '')
    return file === '' ? [] : [{ name: shown === '<anonymous>' ? '' : shown, file, line: Number(line), column: Number(column) }]
  })
}

/** A path of a source map for a reader: from the directory of the package, as far as the map lets one tell. */
export function sourceName(source: string): string {
  return source.replace(/^(\.{1,2}\/)+/, '')
}
