import { pathToFileURL } from 'node:url'
import { PeerError } from '../errors.js'
import { checkPlugin, type Plugin } from '../plugin.js'
import { declaredKeys } from './declared.js'
import { layerFiles, type LoadedSite } from './layers.js'
import type { SiteLoader, SiteSource } from './loader.js'

/** A loaded site whose plugins can do their work, not only describe themselves. */
export type PluggedSite = Omit<LoadedSite, 'plugins'> & { readonly plugins: readonly Plugin[] }

/**
 * Reads the site in `file`, else in the nearest file from `cwd` upwards, with the loader that a plugin of the packaged site brings;
 * where no file is found, the packaged site it is. Values are not validated yet.
 * Throws ERR_CONFIG_*, ERR_MODULE_*, ERR_PLUGIN_INVALID, each naming the file.
 */
export async function loadFiles(cwd: string, file: string | undefined, own: PluggedSite): Promise<PluggedSite> {
  const loader = own.plugins.find((plugin) => plugin.loader !== undefined)?.loader
  const chain = (await loader?.read(cwd, file)) ?? []
  const [first] = chain
  if (first === undefined) return own
  const listing = chain.find(({ content }) => content['plugins'] !== undefined)
  const plugins = listing === undefined ? own.plugins : await loadPlugins(listing, loader)
  return { file: first.file, plugins, values: layerFiles(chain, declaredKeys(plugins)) }
}

/** The program's own site, from its module. It lists plugin values: nothing has to be found to load it. */
export async function loadPackagedSite(file: string): Promise<PluggedSite> {
  const module: { readonly default?: object } = await import(pathToFileURL(file).href)
  const source = { file, content: { ...module.default } }
  const plugins = await loadPlugins(source)
  return { file, plugins, values: layerFiles([source], declaredKeys(plugins)) }
}

/** The plugin values of a site's `plugins` list. Throws ERR_PLUGIN_INVALID naming file and entry, and what the loader throws. */
async function loadPlugins({ file, content }: SiteSource, loader?: SiteLoader): Promise<readonly Plugin[]> {
  const entries = content['plugins']
  if (!Array.isArray(entries)) throw new PeerError('ERR_PLUGIN_INVALID', `plugins in ${file}: expected a list, found ${typeof entries}`)
  const list: readonly unknown[] = entries
  const plugins = await Promise.all(
    list.map(async (entry, index) => {
      const place = `plugins[${index}] in ${file}`
      if (typeof entry !== 'string' || loader === undefined) return checkPlugin(entry, place)
      return checkPlugin((await loader.load(entry, file))['default'], `${place} (the default export of ${entry})`)
    }),
  )
  const twice = plugins.find(({ name }, index) => plugins.findIndex((other) => other.name === name) < index)
  if (twice !== undefined) throw new PeerError('ERR_PLUGIN_INVALID', `plugins in ${file}: ${twice.name} is listed twice`)
  return plugins
}
