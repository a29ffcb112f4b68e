import type { PluginManifest } from '../manifest.js'

/** Where a value came from. Weakest first. */
export type Layer = 'default' | 'base' | 'file' | 'environment' | 'command line' | 'plugin'

/** One raw value with its origin, e.g. `{ value: '5s', layer: 'environment', origin: 'CORE_PEER_DISCOVERY_PERIOD' }`. */
export interface LayeredValue {
  readonly value: unknown
  readonly layer: Layer
  readonly origin: string
}

/** How an origin reads in a message: `environment CORE_PEER_ID`, `file /site/peer.config.ts`. */
export function placeOf({ layer, origin }: LayeredValue): string {
  return `${layer === 'base' ? 'base file' : layer} ${origin}`
}

/** A site, found and layered, not yet validated against the plugins' keys: what the `config` hook passes along. Immutable. */
export interface SiteConfig {
  /** The file that was found, or where the values come from if there is none; for messages. */
  readonly file: string
  readonly plugins: readonly PluginManifest[]
  /** Raw values by dotted key, the strongest layer only. */
  readonly values: ReadonlyMap<string, LayeredValue>
  /** Non-empty `CORE_*` variables that no key of the site answers to. */
  readonly unmatchedVariables: readonly string[]
  /** A copy in which a plugin has set a key (layer `plugin`, origin = the plugin's name). */
  with(key: string, value: unknown, origin: string): SiteConfig
}

/** A site of these parts. */
export function layered(parts: Omit<SiteConfig, 'with'>): SiteConfig {
  return Object.freeze<SiteConfig>({
    ...parts,
    plugins: Object.freeze([...parts.plugins]),
    with: (key, value, origin) => layered({ ...parts, values: new Map(parts.values).set(key, { value, layer: 'plugin', origin }) }),
  })
}
