import { PeerError } from '../../kernel/index.js'

/** A new engine's name in the forms that a package uses. */
export interface EngineNames {
  /** `my-engine`: the engine's own name. */
  readonly name: string
  /** `weft-engine-my-engine`. */
  readonly packageName: string
  /** `MyEngine` */
  readonly pascal: string
  /** `MY_ENGINE` */
  readonly upper: string
}

/** What a new package is made of. */
export interface TemplateOptions {
  readonly names: EngineNames
  /** What its package.json says of weft: a range, or `file:` and a path. */
  readonly weft: string
}

const LONGEST = 40

/** Engines that Weft brings: another one of that name could not be told apart. */
const TAKEN = ['noops', 'pbft']

/** The names of a new engine. Throws ERR_ENGINE_NAME saying what is wrong with it. */
export function engineNames(name: string): EngineNames {
  const wrong = (found: string, hint: string): PeerError => new PeerError('ERR_ENGINE_NAME', `the name of an engine: ${found}`, { hint })
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw wrong(`expected small letters, digits and single hyphens, a letter first; found '${name}'`, 'for example: peer engine new my-engine')
  }
  if (name.length > LONGEST) throw wrong(`expected at most ${LONGEST} characters, found ${name.length}`, 'choose a shorter name')
  if (name.startsWith('weft-engine-'))
    throw wrong(`found '${name}'`, `the package gets that prefix by itself: peer engine new ${name.slice('weft-engine-'.length)}`)
  if (TAKEN.includes(name)) throw wrong(`'${name}' is an engine of Weft`, 'choose another name')
  const parts = name.split('-')
  return { name, packageName: `weft-engine-${name}`, pascal: parts.map(capital).join(''), upper: parts.join('_').toUpperCase() }
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
}
