import { PeerError } from '../errors.js'
import { type DeclaredKey, declaredKeys } from './declared.js'
import { readEnvironment } from './environment.js'
import type { SiteSource } from './loader.js'
import { layered, type LayeredValue, type SiteConfig } from './site.js'

/** The files of a site, read and layered, before the environment and the command line. */
export type LoadedSite = Pick<SiteConfig, 'file' | 'plugins' | 'values'>

/** Lays the environment, and options as of `--set key=value`, over the files of a site. */
export function layerSite({ file, plugins, values: inFiles }: LoadedSite, env: NodeJS.ProcessEnv, set: readonly string[]): SiteConfig {
  const declared = declaredKeys(plugins)
  const values = new Map(inFiles)
  const fromEnvironment = [...declared.values()].flatMap(({ key, spec }) => (spec.fromEnvironment === false ? [] : key))
  const { matched, unmatched } = readEnvironment(env, fromEnvironment)
  for (const { key, variable, value } of matched) values.set(key, { value: textValue(declared.get(key), value), layer: 'environment', origin: variable })
  for (const option of set) {
    const at = option.indexOf('=')
    if (at < 1) throw new PeerError('ERR_CONFIG_INVALID', `--set ${option}: expected key=value`)
    const key = option.slice(0, at)
    values.set(key, { value: textValue(declared.get(key), option.slice(at + 1)), layer: 'command line', origin: `--set ${key}` })
  }
  return layered({ file, plugins, values, unmatchedVariables: unmatched })
}

/** Maps can only be written as text in JSON; every other kind reads text itself. */
function textValue(declared: DeclaredKey | undefined, value: string): unknown {
  if (declared?.isMap !== true) return value
  try {
    return JSON.parse(value)
  } catch (error) {
    if (error instanceof SyntaxError) return value // no JSON: validation says that a map was expected, and what was found
    throw error
  }
}

/** Lays the files of a site, strongest first, over each other. */
export function layerFiles(chain: readonly SiteSource[], declared: ReadonlyMap<string, DeclaredKey>): ReadonlyMap<string, LayeredValue> {
  const values = new Map<string, LayeredValue>()
  const isMapKey = (key: string): boolean => declared.get(key)?.isMap === true
  for (const { file, content } of [...chain].reverse()) {
    const { extends: _base, plugins: _plugins, $schema: _schema, ...sections } = content
    const layer = file === chain[0]?.file ? 'file' : 'base'
    for (const [key, value] of flatten(sections, isMapKey, file)) values.set(key, { value, layer, origin: file })
  }
  return values
}

const DEEPEST = 32

/**
 * Nested values as dotted keys: `{ peer: { id: 'vp0' } }` is `peer.id`. Values under a key of kind map stay together.
 * Empty sections and `null` (an empty section in YAML) say nothing.
 * Throws ERR_CONFIG_INVALID for values that are nested too deep, or in a circle.
 */
export function flatten(values: object, isMapKey: (key: string) => boolean, file: string): ReadonlyMap<string, unknown> {
  const flat = new Map<string, unknown>()
  const visit = (section: object, prefix: string, depth: number): void => {
    if (depth > DEEPEST) throw new PeerError('ERR_CONFIG_INVALID', `${file}: ${prefix.slice(0, 60)}… is nested more than ${DEEPEST} deep`)
    for (const [name, value] of Object.entries(section)) {
      const key = `${prefix}${name}`
      if (value === undefined || value === null) continue
      if (isSection(value) && !isMapKey(key)) visit(value, `${key}.`, depth + 1)
      else flat.set(key, value)
    }
  }
  visit(values, '', 1)
  return flat
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
