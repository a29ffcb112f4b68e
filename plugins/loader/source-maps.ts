import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where something is in the file that its author wrote. */
export interface SourcePlace {
  readonly source: string
  readonly line: number
  readonly column: number
}

const INLINE = '//# sourceMappingURL=data:application/json;base64,'
const MOST_BUNDLES = 64

/** The last bundles that run here under the name of a file, with their maps inside. */
const bundles = new Map<string, string>()

/** Remembers the code that runs under the name of a file: the file itself holds something else. */
export function rememberBundle(file: string, code: string): void {
  bundles.delete(file)
  bundles.set(file, code)
  const [oldest] = bundles.keys()
  if (bundles.size > MOST_BUNDLES && oldest !== undefined) bundles.delete(oldest)
}

/** Where a line and column (from 1) of a file that runs were written; undefined if no map says so. Reads files: for errors alone. `file`: a path or a file URL. */
export function sourcePlace(file: string, line: number, column: number): SourcePlace | undefined {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  const map = mapIn(bundles.get(file) ?? bundles.get(path) ?? textOf(path), dirname(path))
  return map && placeIn(map, line, column)
}

/** The same in code that holds its map. */
export function placeInCode(code: string, line: number, column: number): SourcePlace | undefined {
  const map = mapIn(code, undefined)
  return map && placeIn(map, line, column)
}

function placeIn(map: SourceMap, line: number, column: number): SourcePlace | undefined {
  const found = map.findEntry(line - 1, column - 1)
  return 'originalSource' in found ? { source: found.originalSource, line: found.originalLine + 1, column: found.originalColumn + 1 } : undefined
}

/** A map is a help: without a whole one there is none. */
function mapIn(code: string | undefined, directory: string | undefined): SourceMap | undefined {
  const at = code?.lastIndexOf('//# sourceMappingURL=') ?? -1
  if (code === undefined || at < 0) return undefined
  const [link = ''] = code.slice(at).split('\n', 1)
  const json = link.startsWith(INLINE) ? Buffer.from(link.slice(INLINE.length), 'base64').toString() : directory && textOf(join(directory, link.slice(21)))
  try {
    return json === undefined || json === '' ? undefined : new SourceMap(JSON.parse(json))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
