import type { Plugin } from '../plugin.js'

/** What `peer.config.ts` exports: plugins and nested values, keys as in v0.6 (`peer: { listenAddress: ... }`). */
export interface SiteFile {
  /** Path or module name of a site whose plugins and values come first. */
  readonly extends?: string
  /** Plugin values, or module names and paths; the order does not matter. Replaces the base's list if given. */
  readonly plugins?: readonly (Plugin | string)[]
  readonly [section: string]: unknown
}

/**
 * Types a site's configuration file.
 *
 * @example
 * export default defineConfig({
 *   plugins: [hello, './plugins/loom.ts'],
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

/** How an origin reads in a message: `environment CORE_PEER_ID`, `file /site/peer.config.ts`. */
export function placeOf({ layer, origin }: LayeredValue): string {
  return `${layer === 'base' ? 'base file' : layer} ${origin}`
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

/** The parts of a {@link SiteConfig}; only its plugins must be given. */
export type SiteParts = Partial<Omit<SiteConfig, 'with'>> & Pick<SiteConfig, 'plugins'>

/**
 * Makes a site in a program or a test, without any file.
 *
 * @example
 * const site = createSite({ plugins: [hello] }).with('peer.id', 'vp0', 'this test')
 */
export function createSite({ file = '(program)', plugins, values = new Map(), unmatchedVariables = [] }: SiteParts): SiteConfig {
  const parts = { file, plugins: Object.freeze([...plugins]), values, unmatchedVariables }
  return Object.freeze<SiteConfig>({
    ...parts,
    with: (key, value, origin) => createSite({ ...parts, values: new Map(values).set(key, { value, layer: 'plugin', origin }) }),
  })
}
