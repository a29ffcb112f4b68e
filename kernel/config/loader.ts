import { PeerError } from '../errors.js'
import type { Plugin } from '../plugin.js'

/** A configuration file and its content: nested sections, `plugins`, `extends`. */
export interface SiteSource {
  readonly file: string
  readonly content: Readonly<Record<string, unknown>>
}

/** Finds and reads sites; a plugin of the packaged site brings it (`Plugin.loader`). */
export interface SiteLoader {
  /**
   * `file`, else the nearest configuration file from `cwd` upwards, and the bases that it extends, strongest first; empty if none is found.
   * Throws ERR_CONFIG_UNREADABLE, ERR_CONFIG_INVALID, ERR_CONFIG_CYCLE or ERR_MODULE_*, each naming the file.
   */
  read(cwd: string, file?: string): Promise<readonly SiteSource[]>
  /** The exports of a module that `file` names, by name. Throws ERR_MODULE_UNKNOWN or ERR_MODULE_LOAD. */
  load(reference: string, file: string): Promise<Readonly<Record<string, unknown>>>
}

/**
 * The plugin values of a site's `plugins` list.
 *
 * @throws PeerError ERR_PLUGIN_INVALID naming file and entry, and what the loader throws
 */
export async function loadPlugins({ file, content }: SiteSource, loader?: SiteLoader): Promise<readonly Plugin[]> {
  const entries = content['plugins']
  if (!Array.isArray(entries)) throw new PeerError('ERR_PLUGIN_INVALID', `plugins in ${file}: expected a list, found ${typeof entries}`)
  const list: readonly unknown[] = entries
  const plugins = await Promise.all(
    list.map(async (entry, index) => {
      const place = `plugins[${index}] in ${file}`
      if (typeof entry !== 'string' || loader === undefined) return checked(entry, place)
      return checked((await loader.load(entry, file))['default'], `${place} (the default export of ${entry})`)
    }),
  )
  const twice = plugins.find(({ name }, index) => plugins.findIndex((other) => other.name === name) < index)
  if (twice !== undefined) throw new PeerError('ERR_PLUGIN_INVALID', `plugins in ${file}: ${twice.name} is listed twice`)
  return plugins
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
