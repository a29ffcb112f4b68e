import { layered, type SiteConfig } from './config/site.js'
import type { Plugin } from './plugin.js'

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

/** The parts of a {@link SiteConfig}; only its plugins must be given. */
export type SiteParts = Partial<Omit<SiteConfig, 'with' | 'plugins'>> & { readonly plugins: readonly Plugin[] }

/**
 * Makes a site in a program or a test, without any file.
 *
 * @example
 * const site = createSite({ plugins: [hello] }).with('peer.id', 'vp0', 'this test')
 */
export function createSite({ file = '(program)', plugins, values = new Map(), unmatchedVariables = [] }: SiteParts): SiteConfig {
  return layered({ file, plugins, values, unmatchedVariables })
}
