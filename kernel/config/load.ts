import { resolve } from 'node:path'
import { PeerError } from '../errors.js'
import type { Plugin } from '../plugin.js'
import { type DeclaredKey, declaredKeys } from './declared.js'
import { readEnvironment } from './environment.js'
import { type FoundFile, findFile, readFile } from './find.js'
import { flatten } from './flatten.js'
import { ownPackage } from './own-package.js'
import { loadPlugins, locate } from './plugins.js'
import { createSite, type LayeredValue, type SiteConfig } from './site.js'
import { importNative } from './typescript.js'

/** The files of a site, read and layered, before the environment and the command line. */
export interface LoadedSite {
  readonly file: string
  readonly plugins: readonly Plugin[]
  readonly values: ReadonlyMap<string, LayeredValue>
}

/** Where a site is looked for, and what is laid over its files. */
export interface SiteSources {
  readonly cwd: string
  /** An explicit file instead of a search. */
  readonly file?: string | undefined
  readonly env: NodeJS.ProcessEnv
  /** `key=value`, as of `--set`. */
  readonly set: readonly string[]
}

/**
 * Finds, reads and layers a site: plugin defaults, base, file, environment, `--set`. Values are not validated yet.
 *
 * @throws PeerError ERR_CONFIG_*, ERR_MODULE_*, ERR_PLUGIN_INVALID, each naming the file
 */
export async function loadSite(sources: SiteSources): Promise<SiteConfig> {
  return layerSite(await loadFiles(sources), sources)
}

/** The first half of {@link loadSite}: the files only. */
export async function loadFiles({ cwd, file }: Pick<SiteSources, 'cwd' | 'file'>): Promise<LoadedSite> {
  const found = file === undefined ? await findFile(cwd) : await readFile(resolve(cwd, file))
  if (found === undefined) return loadDefaultSite()
  const chain = await readChain(found)
  const listing = chain.find(({ content }) => content['plugins'] !== undefined)
  const plugins = listing === undefined ? (await loadDefaultSite()).plugins : await loadPlugins(listing.content['plugins'], listing.file)
  return { file: found.file, plugins, values: layerFiles(chain, declaredKeys(plugins)) }
}

/** The site that runs where no file is found: this package's own `peer.config`. */
export async function loadDefaultSite(): Promise<LoadedSite> {
  const file = ownPackage().entry('weft/peer.config')
  const content = checkContent(file, (await importNative(file))['default'])
  const plugins = await loadPlugins(content['plugins'], file)
  return { file, plugins, values: layerFiles([{ file, content }], declaredKeys(plugins)) }
}

/** The second half of {@link loadSite}: lays the environment and `--set` over the files. */
export function layerSite(loaded: LoadedSite, { env, set }: Pick<SiteSources, 'env' | 'set'>): SiteConfig {
  const declared = declaredKeys(loaded.plugins)
  const values = new Map(loaded.values)
  const { matched, unmatched } = readEnvironment(env, declared.keys())
  for (const { key, variable, value } of matched) values.set(key, { value: textValue(declared.get(key), value), layer: 'environment', origin: variable })
  for (const option of set) {
    const at = option.indexOf('=')
    if (at < 1) throw new PeerError('ERR_CONFIG_INVALID', `--set ${option}: expected key=value`)
    const key = option.slice(0, at)
    values.set(key, { value: textValue(declared.get(key), option.slice(at + 1)), layer: 'command line', origin: `--set ${key}` })
  }
  return createSite({ file: loaded.file, plugins: loaded.plugins, values, unmatchedVariables: unmatched })
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

interface SiteContent {
  readonly file: string
  readonly content: Readonly<Record<string, unknown>>
}

/** A file and the bases that it extends, strongest first. Throws ERR_CONFIG_CYCLE with the whole circle. */
async function readChain(found: FoundFile): Promise<readonly SiteContent[]> {
  const chain: SiteContent[] = []
  let next: FoundFile | undefined = found
  while (next !== undefined) {
    const { file, content: raw }: FoundFile = next
    if (chain.some((earlier) => earlier.file === file)) {
      throw new PeerError('ERR_CONFIG_CYCLE', `extends goes in a circle: ${[...chain.map((earlier) => earlier.file), file].join(' -> ')}`)
    }
    const content = checkContent(file, raw)
    chain.push({ file, content })
    next = await readBase(file, content['extends'])
  }
  return chain
}

async function readBase(file: string, base: unknown): Promise<FoundFile | undefined> {
  if (base === undefined || base === null) return undefined
  if (typeof base !== 'string') throw new PeerError('ERR_CONFIG_INVALID', `extends in ${file}: expected a path or module name, found ${typeof base}`)
  const target = await locate(base, file)
  const own = ownPackage()
  if (target === own.entry('weft/peer.config')) return { file: target, content: (await importNative(target))['default'] }
  return readFile(target)
}

function checkContent(file: string, content: unknown): Readonly<Record<string, unknown>> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
  throw new PeerError(
    'ERR_CONFIG_INVALID',
    `${file}: expected sections of keys${content === undefined ? ' as the default export' : ''}, found ${Array.isArray(content) ? 'a list' : typeof content}`,
  )
}

function layerFiles(chain: readonly SiteContent[], declared: ReadonlyMap<string, DeclaredKey>): ReadonlyMap<string, LayeredValue> {
  const values = new Map<string, LayeredValue>()
  const isMapKey = (key: string): boolean => declared.get(key)?.isMap === true
  for (const { file, content } of [...chain].reverse()) {
    const { extends: _base, plugins: _plugins, $schema: _schema, ...sections } = content
    const layer = file === chain[0]?.file ? 'file' : 'base'
    for (const [key, value] of flatten(sections, isMapKey, file)) values.set(key, { value, layer, origin: file })
  }
  return values
}
