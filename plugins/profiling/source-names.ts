import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where V8 says that a function begins; line and column count from 0. */
export interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

/** A function as it stands in its source. */
export interface SourceFunction {
  /** File without its ending, and function: `plugins/ledger/chain.advance`. */
  readonly name: string
  /** As V8 names it. */
  readonly systemName: string
  readonly file: string
  /** From 1; 0: unknown. */
  readonly line: number
}

/** What is needed of a source map. */
interface MappedFile {
  readonly map: SourceMap
  readonly directory: string
  readonly texts: ReadonlyMap<string, readonly string[]>
}

/** The root of this program: source files are named relative to it. */
const ROOT = rootOf(fileURLToPath(import.meta.url))

/** Names functions as they are named in the source, through the source maps beside the built files. Reads each map once. */
export class SourceNames {
  readonly #files = new Map<string, MappedFile | undefined>()

  constructor(private readonly root = ROOT) {}

  describe({ functionName, url, lineNumber, columnNumber }: CallFrame): SourceFunction {
    // (garbage collector), (program) and the like have no place.
    if (url === '') return { name: functionName === '' ? '(anonymous)' : functionName, systemName: functionName, file: '', line: 0 }
    const mapped = url.startsWith('file://') ? this.#original(fileURLToPath(url), lineNumber, columnNumber, functionName) : undefined
    const place = mapped ?? { file: url.startsWith('file://') ? this.#short(fileURLToPath(url)) : url, line: lineNumber + 1, functionName }
    const own = place.functionName === '' ? `(anonymous:${place.line})` : place.functionName
    return { name: `${place.file.replace(/\.[cm]?[jt]s$/, '')}.${own}`, systemName: functionName, file: place.file, line: place.line }
  }

  #original(path: string, line: number, column: number, functionName: string) {
    const file = this.#mappedFile(path)
    if (file === undefined) return undefined
    const entry = file.map.findEntry(line, column)
    if (!('originalSource' in entry)) return undefined
    const text = file.texts.get(entry.originalSource)?.[entry.originalLine] ?? ''
    return {
      file: this.#short(resolve(file.directory, entry.originalSource)),
      line: entry.originalLine + 1,
      functionName: sourceName(functionName, text.slice(entry.originalColumn)),
    }
  }

  #mappedFile(path: string): MappedFile | undefined {
    const known = this.#files.get(path)
    if (known !== undefined || this.#files.has(path)) return known
    const file = readMap(path)
    this.#files.set(path, file)
    return file
  }

  #short(path: string): string {
    const short = relative(this.root, path)
    const file = short.startsWith('..') ? path : short
    return file
      .split(sep)
      .join('/')
      .replace(/^.*node_modules\//, '')
  }
}

/** The bundler numbers names that clash: `start2` is `start` where the source says so. `from`: the source from the function's name on. */
function sourceName(functionName: string, from: string): string {
  const unnumbered = functionName.replace(/\d+$/, '')
  if (unnumbered === functionName || unnumbered === '') return functionName
  const written = /^[\w$]+/.exec(from)?.[0]
  return written === unnumbered ? unnumbered : functionName
}

function readMap(path: string): MappedFile | undefined {
  let payload: unknown
  try {
    payload = JSON.parse(readFileSync(`${path}.map`, 'utf8'))
  } catch {
    return undefined // without a map the names of the built file are the best there is
  }
  if (!isPayload(payload)) return undefined
  const texts = payload.sources.map((source, index) => [source, (payload.sourcesContent[index] ?? '').split('\n')] as const)
  return { map: new SourceMap(payload), directory: dirname(path), texts: new Map(texts) }
}

function isPayload(value: unknown): value is SourceMapPayload {
  if (typeof value !== 'object' || value === null || !('mappings' in value) || !('sources' in value) || !('sourcesContent' in value)) return false
  return typeof value.mappings === 'string' && Array.isArray(value.sources) && Array.isArray(value.sourcesContent)
}

/** The directory that holds `dist` or, when the source itself runs, `plugins`. */
function rootOf(file: string): string {
  const parts = file.split(sep)
  const at = Math.max(parts.lastIndexOf('dist'), parts.lastIndexOf('plugins'))
  return parts.slice(0, Math.max(at, 1)).join(sep) || sep
}
