import { isDeepStrictEqual } from 'node:util'
import { dirname } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import type { EngineFactory } from '../consensus/index.js'
import type * as TestKit from '../../test/kit/index.js'
import { findEngine, sourceOf } from './find-engine.js'
import { writtenJson } from '../terminal/index.js'

type Scenario = TestKit.Scenario
type Engine = TestKit.PlayedEngine
type Recorded = NonNullable<Scenario['engine']>

/** The engines of a run as a person names them; all may be left out where a scenario's file names them. */
export interface Asked {
  readonly engine: string | undefined
  /** JSON. */
  readonly options: string | undefined
  /** With commas between them. */
  readonly swap: string | undefined
  /** JSON: an object for each name. */
  readonly swapOptions: string | undefined
}

/** A scenario that was kept in a file. */
export interface Kept {
  readonly file: string
  readonly scenario: Scenario
}

/**
 * Finds and loads the engines of a run. What is not asked for is that of the scenario, if it says so; `warn` is told of what is not as it was.
 * Rejects with ERR_USAGE if nobody names an engine, ERR_SIM_ENGINE, or what an engine says of its options.
 */
export async function castOf(asked: Asked, cwd: string, kept: Kept | undefined, warn: (text: string) => void): Promise<Engine> {
  const recorded = kept?.scenario.engine
  const first = await playedOf(
    asked.engine,
    asked.options === undefined ? undefined : { raw: writtenJson('--options', asked.options) },
    cwd,
    kept?.file,
    recorded,
  )
  if (recorded) for (const text of differences(first, recorded)) warn(text)
  const successors = await successorsOf(asked, cwd, kept)
  return { ...first, ...(successors === undefined ? {} : { successors }) }
}

async function successorsOf({ swap, swapOptions }: Asked, cwd: string, kept: Kept | undefined): Promise<Engine['successors']> {
  const recorded = kept?.scenario.successors
  const given = swapOptions === undefined ? undefined : writtenJson('--swap-options', swapOptions)
  const options = new Map<string, unknown>(typeof given === 'object' && given !== null ? Object.entries(given) : [])
  if (swap === undefined && recorded !== undefined) return Promise.all(recorded.map((one) => playedOf(undefined, undefined, cwd, kept?.file, one)))
  if (swap === undefined) return undefined
  return Promise.all(
    swap.split(',').map(async (written) => {
      const factory = await findEngine(written, cwd)
      const before = recorded?.find(({ name }) => name === factory.name)
      const raw = options.get(factory.name) ?? before?.options ?? {}
      factory.parseOptions(raw)
      return { factory, options: raw, source: sourceOf(written, cwd) }
    }),
  )
}

async function playedOf(
  written: string | undefined,
  options: { readonly raw: unknown } | undefined,
  cwd: string,
  file: string | undefined,
  recorded: Recorded | undefined,
): Promise<{ readonly factory: EngineFactory; readonly options: unknown; readonly source: string }> {
  // A path in a scenario counts from its file.
  const place = written === undefined && file !== undefined ? dirname(file) : cwd
  const reference = written ?? recorded?.source
  if (reference === undefined) {
    throw new PeerError(
      'ERR_USAGE',
      `expected an engine${recorded === undefined ? '' : `: ${file ?? ''} was played with ${recorded.name}, and does not say where that is`}`,
      {
        hint: 'name it: peer sim pbft, or peer sim ./my-engine',
      },
    )
  }
  const factory = await findEngine(reference, place)
  const raw = options ? options.raw : recorded?.options
  factory.parseOptions(raw)
  return { factory, options: raw, source: sourceOf(reference, place) }
}

function* differences({ factory, options }: Engine, recorded: Recorded): Iterable<string> {
  const before = `${recorded.name} ${recorded.version}`
  if (factory.name !== recorded.name || factory.version !== recorded.version)
    yield `this scenario failed with ${before}; it is played with ${factory.name} ${factory.version}`
  if (!isDeepStrictEqual(options, recorded.options))
    yield `this scenario failed with the options ${JSON.stringify(recorded.options) ?? 'left out'}; it is played with ${JSON.stringify(options) ?? 'none'}`
}
