import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'
import type { EngineFactory } from '../consensus/index.js'
import { moduleTarget, pathsOf } from '../engines/index.js'
import { isRecord } from '../terminal/index.js'

/** A package.json, as far as it is one. */
export type Manifest = Readonly<Record<string, unknown>>

/** Code of an engine that can be loaded, again and again. */
export interface EngineCode {
  /** The file that is loaded. */
  readonly file: string
  /** The package's directory and package.json; undefined: a file of its own. */
  readonly home: { readonly directory: string; readonly manifest: Manifest } | undefined
}

/** What loading gave. */
export interface LoadedEngine {
  readonly factory: EngineFactory
  /** What `export default` is. */
  readonly plugin: unknown
}

/** Finds an engine's code: a package's directory, or a file. Throws ERR_ENGINE_NOT_FOUND, ERR_ENGINE_MANIFEST, ERR_ENGINE_UNBUILT. */
export function findEngineCode(written: string, cwd: string): EngineCode {
  const place = resolve(cwd, written)
  if (!existsSync(place)) {
    throw new PeerError('ERR_ENGINE_NOT_FOUND', `expected the directory of an engine's package, or a file; ${place} does not exist`, {
      hint: 'write one with: peer engine new my-engine',
    })
  }
  if (!statSync(place).isDirectory()) return { file: place, home: undefined }
  const manifest = readManifest(place)
  const target = moduleTarget(manifest)
  if (target === undefined) throw new PeerError('ERR_ENGINE_MANIFEST', `${join(place, 'package.json')} names no file: expected exports["."] or main`)
  const entry = entryOf(place, manifest)
  if (entry === undefined)
    throw new PeerError('ERR_ENGINE_UNBUILT', `${join(place, target)}, which package.json names, does not exist`, {
      hint: `build it first: npm run build in ${place}`,
    })
  return { file: join(place, entry), home: { directory: place, manifest } }
}

/** Loads the code afresh. `weft` in it is the running program. Throws ERR_ENGINE_NONE if it exports no engine. */
export async function loadEngine({ file }: EngineCode): Promise<LoadedEngine> {
  const { loadTypeScript } = await import('../loader/index.js')
  const exports = await loadTypeScript(file)
  const plugin = exports['default']
  const candidates = [isRecord(plugin) ? plugin['engine'] : undefined, ...Object.values(exports)]
  const factory = candidates.find(isFactory)
  if (factory) return { factory, plugin }
  throw new PeerError('ERR_ENGINE_NONE', `expected an engine among the exports of ${file}, found ${Object.keys(exports).join(', ') || 'none'}`, {
    hint: "its default export is defineEngine({ name, version, agreement, tolerates, parseOptions, create }) from 'weft/consensus'",
  })
}

/** Finds an engine's package, built or not. Throws ERR_ENGINE_NOT_FOUND, ERR_ENGINE_MANIFEST. */
export function findEnginePackage(written: string, cwd: string): NonNullable<EngineCode['home']> {
  const directory = resolve(cwd, written)
  if (existsSync(directory) && statSync(directory).isDirectory()) return { directory, manifest: readManifest(directory) }
  throw new PeerError('ERR_ENGINE_NOT_FOUND', `expected the directory of an engine's package; found none at ${directory}`, {
    hint: 'write one with: peer engine new my-engine',
  })
}

/** Reads the package.json of a directory. Throws ERR_ENGINE_MANIFEST. */
export function readManifest(directory: string): Manifest {
  const file = join(directory, 'package.json')
  if (!existsSync(file)) throw new PeerError('ERR_ENGINE_MANIFEST', `${directory} has no package.json`, { hint: 'name the directory of a package, or a file' })
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isRecord(manifest)) return manifest
    throw new TypeError('expected an object')
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_MANIFEST', `${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** The file that the package's name means, if it is there. */
export function entryOf(directory: string, manifest: Manifest): string | undefined {
  const target = moduleTarget(manifest)
  return target === undefined
    ? undefined
    : pathsOf(target, manifest).find((path) => statSync(join(directory, path), { throwIfNoEntry: false })?.isFile() === true)
}

function isFactory(value: unknown): value is EngineFactory {
  if (typeof value !== 'object' || value === null) return false
  const hasFunctions = ['create', 'parseOptions', 'tolerates'].every((name) => typeof Reflect.get(value, name) === 'function')
  return hasFunctions && typeof Reflect.get(value, 'name') === 'string' && typeof Reflect.get(value, 'version') === 'string'
}
