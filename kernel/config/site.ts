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
  /** The file that was found, or where the values come from if there is none; for messages. */
  readonly file: string
  readonly plugins: readonly Plugin[]
  /** Raw values by dotted key, the strongest layer only. */
  readonly values: ReadonlyMap<string, LayeredValue>
  /** Non-empty `CORE_*` variables that no key of the site answers to. */
  readonly unmatchedVariables: readonly string[]
  /** A copy in which a plugin has set a key (layer `plugin`, origin = the plugin's name). */
  with(key: string, value: unknown, origin: string): SiteConfig
}

/** The parts of a {@link SiteConfig}. */
export interface SiteParts {
  readonly file?: string
  readonly plugins: readonly Plugin[]
  readonly values?: ReadonlyMap<string, LayeredValue>
  readonly unmatchedVariables?: readonly string[]
}

/**
 * Makes a site in a program or a test, without any file.
 *
 * @example
 * const site = createSite({ plugins: [ledger] }).with('peer.id', 'vp0', 'this test')
 */
export function createSite(parts: SiteParts): SiteConfig {
  const values: ReadonlyMap<string, LayeredValue> = new Map(parts.values ?? [])
  return Object.freeze({
    file: parts.file ?? '(program)',
    plugins: Object.freeze([...parts.plugins]),
    values,
    unmatchedVariables: Object.freeze([...(parts.unmatchedVariables ?? [])]),
    with: (key: string, value: unknown, origin: string) => createSite({ ...parts, values: new Map(values).set(key, { value, layer: 'plugin', origin }) }),
  })
}
