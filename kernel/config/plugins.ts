import { dirname, extname, isAbsolute, resolve } from 'node:path'
import { PeerError } from '../errors.js'
import type { Plugin } from '../plugin.js'
import { isOwn, ownPackage } from './own-package.js'
import { importNative, loadTypeScript, type ModuleExports, resolvePackage } from './typescript.js'

/** True for `./x`, `../x` and absolute paths; everything else names a module. */
function isPath(reference: string): boolean {
  return isAbsolute(reference) || /^\.\.?[\\/]/.test(reference)
}

/** The file that a path or a module name in `file` stands for. Throws ERR_MODULE_UNKNOWN naming both. */
export async function locate(reference: string, file: string): Promise<string> {
  if (isPath(reference)) return resolve(dirname(file), reference)
  if (isOwn(reference)) return ownPackage().entry(reference)
  const found = await resolvePackage(reference, dirname(file))
  if (found !== undefined) return found
  throw new PeerError('ERR_MODULE_UNKNOWN', `${file} names ${reference}, which is not installed there`, {
    hint: `install it beside ${file}, or write a path that begins with ./`,
    details: { file, reference },
  })
}

/** The exports of a module that a site names. Files of the site are read afresh; packages and Weft's own are the running ones. */
async function loadModule(reference: string, file: string): Promise<ModuleExports> {
  const target = await locate(reference, file)
  const running = ownPackage().running(target)
  if (running !== undefined) return importNative(running)
  return isPath(reference) && /^\.[cm]?[jt]s$/.test(extname(target)) ? loadTypeScript(target) : importNative(target)
}

/**
 * The plugin values of a site's `plugins` list.
 *
 * @throws PeerError ERR_PLUGIN_INVALID naming file and entry; ERR_MODULE_UNKNOWN, ERR_MODULE_LOAD
 */
export async function loadPlugins(entries: unknown, file: string): Promise<readonly Plugin[]> {
  if (!Array.isArray(entries)) throw new PeerError('ERR_PLUGIN_INVALID', `plugins in ${file}: expected a list, found ${typeof entries}`)
  const list: readonly unknown[] = entries
  const plugins = await Promise.all(list.map((entry, index) => loadPlugin(entry, `plugins[${index}] in ${file}`, file)))
  const names = new Set<string>()
  for (const { name } of plugins) {
    if (names.has(name)) throw new PeerError('ERR_PLUGIN_INVALID', `plugins in ${file}: ${name} is listed twice`)
    names.add(name)
  }
  return plugins
}

async function loadPlugin(entry: unknown, place: string, file: string): Promise<Plugin> {
  if (typeof entry !== 'string') return checked(entry, place)
  const exports = await loadModule(entry, file)
  return checked(exports['default'], `${place} (the default export of ${entry})`)
}

function checked(value: unknown, place: string): Plugin {
  if (isPlugin(value)) return value
  const found = typeof value === 'object' && value !== null ? `an object with ${Object.keys(value).join(', ') || 'no members'}` : String(value)
  throw new PeerError('ERR_PLUGIN_INVALID', `${place}: expected a plugin (name and apply), found ${found}`, {
    hint: 'make plugins with definePlugin from weft, and export them as default',
  })
}

function isPlugin(value: unknown): value is Plugin {
  if (typeof value !== 'object' || value === null) return false
  return 'name' in value && typeof value.name === 'string' && value.name !== '' && 'apply' in value && typeof value.apply === 'function'
}
