import { isAbsolute, relative } from 'node:path'
import type { PlayedEngine } from './play.js'
import type { Scenario, ScenarioEngine } from './scenario.js'

type Played = Pick<PlayedEngine, 'factory' | 'options' | 'source'>

/** A scenario with the engines that it was played with; paths count from `directory`, where its file will be. */
export function withEngine(scenario: Scenario, engine: PlayedEngine, directory: string): Scenario {
  const { successors } = engine
  const told = (one: Played): ScenarioEngine => describe(one, directory)
  return { ...scenario, engine: told(engine), ...(successors === undefined ? {} : { successors: successors.map(told) }) }
}

/** What plays a scenario's file again: the file names its engine, unless nobody knew where that was. */
export function replayCommand({ factory, source }: PlayedEngine, file: string): string {
  const engine = source === undefined ? `${factory.name} ` : ''
  return `peer sim ${engine}--replay ${quoted(file)} --trace run.html`
}

function describe({ factory: { name, version }, options, source }: Played, directory: string): ScenarioEngine {
  return { name, version, ...(source === undefined ? {} : { source: placeOf(source, directory) }), ...(options === undefined ? {} : { options }) }
}

/** Paths begin with a dot, which tells them from packages. */
function placeOf(source: string, directory: string): string {
  if (!isAbsolute(source)) return source
  const path = relative(directory, source)
  return isAbsolute(path) || path.startsWith('.') ? path : `./${path}`
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
