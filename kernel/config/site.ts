import type { Plugin } from '../plugin.js'

/** What `peer.config.ts` exports: plugins and nested values, keys as in v0.6 (`peer: { listenAddress: ... }`). */
export interface SiteFile {
  /** Path or module name of a site whose plugins and values come first. */
  readonly extends?: string
  /** Plugin values, or module names such as `weft/plugins/level`; the order does not matter. Replaces the base's list if given. */
  readonly plugins?: readonly (Plugin | string)[]
  readonly [section: string]: unknown
}

/**
 * Types a site's configuration file.
 *
 * @example
 * export default defineConfig({
 *   plugins: ['weft/plugins/level', 'weft/plugins/ledger'],
 *   peer: { id: 'vp0', listenAddress: '127.0.0.1:7051' },
 * })
 */
export function defineConfig(site: SiteFile): SiteFile {
  return site
}

/** Where a value came from. Weakest first. */
export type Layer = 'default' | 'base' | 'file' | 'environment' | 'command line' | 'plugin'

/** One raw value with its origin, e.g. `{ value: '5s', layer: 'environment', origin: 'CORE_PEER_DISCOVERY_PERIOD' }`. */
export interface LayeredValue {
  readonly value: unknown
  readonly layer: Layer
  readonly origin: string
}

/** A site, found and layered, not yet validated against the plugins' keys: what the `config` hook passes along. Immutable. */
export interface SiteConfig {
  readonly plugins: readonly Plugin[]
  /** Raw values by dotted key, the strongest layer only. */
  readonly values: ReadonlyMap<string, LayeredValue>
  /** A copy in which a plugin has set a key (layer `plugin`, origin = the plugin's name). */
  with(key: string, value: unknown, origin: string): SiteConfig
}
