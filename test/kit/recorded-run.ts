import { messageOf, PeerError } from '../../kernel/index.js'
import { type PlayedEngine, playScenario } from './play.js'
import { type Difference, type RecordedCall, recordEngine, type Recording, replay } from './recording.js'
import type { Scenario } from './scenario.js'

/** What every engine instance of a run was told, and what it asked for: to be compared with what another version of the engine asks for. */
export interface RecordedRun {
  readonly engine: { readonly name: string; readonly version: string; readonly options: unknown }
  /** One for each start of a validator, in the order of the starts. */
  readonly lives: readonly Recording[]
}

const FORMAT = 'weft-recording/1'

/** Plays a scenario and records every engine instance. Rejects with the run's failure, if it has one. */
export async function recordRun({ factory, options }: PlayedEngine, scenario: Scenario): Promise<RecordedRun> {
  const lives: Recording[] = []
  const { failure } = await playScenario({ factory: recordEngine(factory, lives), options }, scenario)
  if (failure) throw failure
  return { engine: { name: factory.name, version: factory.version, options }, lives }
}

/**
 * Tells new instances of an engine, of this or another version, everything that those of the run were told. Returns the first difference of each life,
 * in their order; none if all asked for the same. `options` (as a site writes them) replace the recorded ones.
 */
export function replayRun({ factory, options }: PlayedEngine, run: RecordedRun): readonly Difference[] {
  const parsed = factory.parseOptions(options ?? run.engine.options)
  return run.lives.flatMap((recording) => replay(factory, parsed, recording) ?? [])
}

/** A run as text, to be kept in a file: one JSON value a line, a line for each call. */
export function formatRun({ engine, lives }: RecordedRun): string {
  const lines: unknown[] = [{ format: FORMAT, engine }]
  for (const { calls, ...life } of lives) lines.push({ life }, ...calls.map((call) => ({ call })))
  return `${lines.map((line) => JSON.stringify(pack(line))).join('\n')}\n`
}

/** Reads what `formatRun` wrote. Throws ERR_RECORDING that names the line. */
export function parseRun(text: string): RecordedRun {
  const [first, ...rest] = text.trimEnd().split('\n').map(parseLine)
  if (first?.format !== FORMAT || first.engine === undefined) throw wrong(1, `a line with "format": "${FORMAT}" and the engine`)
  const lives: Recording[] = []
  rest.forEach(({ life, call }, index) => {
    const current = lives.at(-1)
    if (life) lives.push({ ...life, calls: [] })
    else if (call && current) current.calls.push(call)
    else throw wrong(index + 2, 'a "life" or, after one, a "call"')
  })
  return { engine: first.engine, lives }
}

interface Line {
  readonly format?: string
  readonly engine?: RecordedRun['engine']
  readonly life?: Omit<Recording, 'calls'>
  readonly call?: RecordedCall
}

function parseLine(line: string, index: number): Line {
  try {
    const value: Line | null = JSON.parse(line, (_, inner: unknown) => unpack(inner))
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw wrong(index + 1, `JSON: ${messageOf(cause)}`)
  }
  throw wrong(index + 1, 'an object')
}

function wrong(line: number, expected: string): PeerError {
  return new PeerError('ERR_RECORDING', `this is no recording of engines: line ${line}: expected ${expected}`, {
    hint: 'recordings are written by formatRun, or by peer sim <engine> --record FILE',
  })
}

/** JSON knows no bytes, bigints and maps: they become objects with one field. */
function pack(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') }
  if (typeof value === 'bigint') return { $bigint: String(value) }
  if (value instanceof Map) return { $map: [...value].map(pack) }
  if (Array.isArray(value)) return value.map(pack)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]))
}

function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return value
  if ('$bytes' in value && typeof value.$bytes === 'string') return new Uint8Array(Buffer.from(value.$bytes, 'base64'))
  if ('$bigint' in value && typeof value.$bigint === 'string') return BigInt(value.$bigint)
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map.filter(isPair))
  return value
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2
}
