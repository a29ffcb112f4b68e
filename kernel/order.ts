import { PeerError } from './errors.js'
import type { Plugin } from './plugin.js'

/**
 * Checks that plugins fit together and puts them in order: providers before those that require or use their tokens,
 * otherwise as listed. Nothing of any plugin runs here.
 * Throws `ERR_PLUGIN_NAME_TWICE`, `ERR_SERVICE_TWICE`, `ERR_SERVICE_MISSING` or `ERR_PLUGIN_CYCLE`.
 */
export function orderPlugins(plugins: readonly Plugin[]): readonly Plugin[] {
  const twice = plugins.find(({ name }, index) => plugins.findIndex((other) => other.name === name) < index)
  if (twice !== undefined) {
    throw new PeerError('ERR_PLUGIN_NAME_TWICE', `two plugins are named ${twice.name}; names must be unique`, {
      details: { plugin: twice.name },
      hint: 'list it once in plugins',
    })
  }
  const providers = findProviders(plugins)
  for (const plugin of plugins) {
    const missing = plugin.requires?.find(({ name }) => !providers.has(name))
    if (missing === undefined) continue
    throw new PeerError('ERR_SERVICE_MISSING', `plugin ${plugin.name} requires ${missing.name}, which no plugin provides`, {
      details: { plugin: plugin.name, token: missing.name },
      hint: `add ${missing.providedBy} to plugins`,
    })
  }
  return sort(plugins, providers)
}

function findProviders(plugins: readonly Plugin[]): ReadonlyMap<string, Plugin> {
  const providers = new Map<string, Plugin>()
  for (const plugin of plugins) {
    for (const { name: token } of plugin.provides ?? []) {
      const other = providers.get(token)
      if (other !== undefined) {
        throw new PeerError('ERR_SERVICE_TWICE', `plugins ${other.name} and ${plugin.name} both provide ${token}; expected one`, {
          details: { token, plugins: [other.name, plugin.name] },
          hint: 'remove one of them from plugins',
        })
      }
      providers.set(token, plugin)
    }
  }
  return providers
}

/** Depth first, so the order is stable: a plugin moves forward only because a listed one needs it. */
function sort(plugins: readonly Plugin[], providers: ReadonlyMap<string, Plugin>): readonly Plugin[] {
  const sorted = new Set<Plugin>()
  const visit = (plugin: Plugin, path: readonly Plugin[]): void => {
    if (sorted.has(plugin)) return
    const start = path.indexOf(plugin)
    if (start >= 0) {
      const cycle = [...path.slice(start), plugin].map(({ name }) => name)
      throw new PeerError('ERR_PLUGIN_CYCLE', `plugins need each other in a circle: ${cycle.join(' -> ')}`, {
        details: { cycle },
        hint: 'one of them has to find the service later instead of listing it in requires or uses',
      })
    }
    for (const token of [...(plugin.requires ?? []), ...(plugin.uses ?? [])]) {
      const provider = providers.get(token.name)
      if (provider !== undefined && provider !== plugin) visit(provider, [...path, plugin])
    }
    sorted.add(plugin)
  }
  for (const plugin of plugins) visit(plugin, [])
  return [...sorted]
}
