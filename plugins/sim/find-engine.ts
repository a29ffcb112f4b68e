import { statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import type { EngineFactory } from '../consensus/index.js'
import { findEngineCode, loadEngine } from '../engine-authoring/index.js'

/**
 * The engine that a person means: a name (`pbft` is what `weft/plugins/pbft` exports), an installed package, a directory with one, or a file (TypeScript too), with
 * `#export` if it has several. What `defineEngine` made counts as its engine.
 * Throws ERR_SIM_ENGINE.
 */
export async function findEngine(written: string, cwd: string): Promise<EngineFactory> {
  const [reference = '', wanted] = written.split('#')
  if (isDirectory(resolve(cwd, reference))) return (await loadEngine(findEngineCode(reference, cwd))).factory
  const exports = await load(reference, cwd)
  const factories = Object.entries(exports).flatMap(([name, value]) => {
    const factory = engineIn(value)
    return factory ? [{ name, factory }] : []
  })
  const distinct = factories.filter(({ factory }, index) => factories.findIndex((other) => other.factory === factory) === index)
  const chosen = wanted === undefined ? (distinct.length === 1 ? distinct[0] : undefined) : factories.find(({ name }) => name === wanted)
  if (chosen) return chosen.factory
  const names = factories.map(({ name }) => name).join(', ')
  throw new PeerError(
    'ERR_SIM_ENGINE',
    `expected ${wanted === undefined ? 'one engine' : `an engine '${wanted}'`} among the exports of ${reference}, found ${names || 'none'}`,
    {
      hint:
        distinct.length > 1
          ? `say which: ${reference}#${factories[0]?.name ?? ''}`
          : 'an engine is an EngineFactory: name, version, agreement, tolerates, parseOptions and create',
    },
  )
}

/** Where an engine is, in words that hold in every directory: a path in full, a name as it is. */
export function sourceOf(written: string, cwd: string): string {
  const [reference = ''] = written.split('#')
  return isDirectory(resolve(cwd, reference)) || isPath(reference) ? resolve(cwd, written) : written
}

async function load(reference: string, cwd: string): Promise<Readonly<Record<string, unknown>>> {
  const { default: plugin } = await import('../loader/index.js')
  const { loader } = plugin
  if (!loader) throw new PeerError('ERR_SIM_ENGINE', 'the plugin loader loads nothing')
  const from = join(cwd, 'peer-sim')
  if (isPath(reference)) return loader.load(existing(resolve(cwd, reference)), from)
  const own = `weft/plugins/${reference}`
  try {
    return await loader.load(own, from)
  } catch (error) {
    if (!isUnknown(error)) throw error
  }
  try {
    return await loader.load(reference, from)
  } catch (cause) {
    if (!isUnknown(cause)) throw cause
    throw new PeerError('ERR_SIM_ENGINE', `expected an engine, found neither ${own} nor a package ${reference} installed in ${cwd}`, {
      cause,
      hint: 'name a plugin of Weft (noops), a package, or a file that begins with ./',
    })
  }
}

function isPath(reference: string): boolean {
  return isAbsolute(reference) || /^\.|[\\/].*\.[cm]?[jt]s$|\.[cm]?[jt]s$/.test(reference)
}

function existing(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })) return path
  throw new PeerError('ERR_SIM_ENGINE', `expected an engine: a file, or the directory of its package; ${path} does not exist`, {
    hint: 'name a plugin of Weft (noops), a package, or a file or directory that begins with ./',
  })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** An engine, also one in the plugin that `defineEngine` made of it. */
function engineIn(value: unknown): EngineFactory | undefined {
  if (isFactory(value)) return value
  const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'engine') : undefined
  return isFactory(inner) ? inner : undefined
}

function isUnknown(error: unknown): boolean {
  return error instanceof PeerError && error.code === 'ERR_MODULE_UNKNOWN'
}

function isFactory(value: unknown): value is EngineFactory {
  if (typeof value !== 'object' || value === null) return false
  const hasFunctions = ['create', 'parseOptions', 'tolerates'].every((name) => typeof Reflect.get(value, name) === 'function')
  return hasFunctions && typeof Reflect.get(value, 'name') === 'string' && typeof Reflect.get(value, 'agreement') === 'boolean'
}
