import type { CommandClass } from 'clipanion'
import type { PeerContext } from './cli/command.js'
import type { Clock } from './clock.js'
import type { KeySpecs, Settings } from './config/keys.js'
import type { SiteLoader } from './config/loader.js'
import type { SiteConfig } from './config/site.js'
import { PeerError } from './errors.js'
import type { PluginHooks } from './hooks.js'
import type { ListenerParts, ListenerSet } from './listeners.js'
import type { Logger, Logging } from './logging.js'
import type { PluginManifest } from './manifest.js'
import type { Token } from './token.js'

/** What a plugin is: a value. Make one with {@link definePlugin}. */
export interface Plugin extends PluginManifest {
  /** Subcommands that it brings to the `peer` program. */
  readonly commands?: readonly CommandClass<PeerContext>[]
  /**
   * Makes the peer's listeners; the first plugin that has this does. Called once, when the settings are final and nothing is
   * open yet: what makes listening impossible (a certificate, say) is thrown here.
   */
  readonly listeners?: (parts: ListenerParts) => ListenerSet
  /** Makes the peer's logging; the first plugin that has this does. Called before anything else of a start; values are not validated yet. */
  readonly logging?: (site: SiteConfig, clock: Clock) => Promise<Logging>
  /** Finds and reads sites. Taken from the packaged site alone: a site's own plugins are not known before it is read. */
  readonly loader?: SiteLoader
  /** Registers taps and nothing else: no I/O, no timers, no other side effect before its hooks run. */
  apply(peer: PluginHost): void
}

/** The peer as one plugin sees it. */
export interface PluginHost {
  readonly hooks: PluginHooks
  readonly log: Logger
  readonly clock: Clock
  /** Offers a service under a token; only tokens listed in `provides`. */
  provide<T>(token: Token<T>, value: T): void
  /**
   * Takes a service that is listed in `requires` or `uses`. After a replacement it returns the new value: do not keep it longer than needed
   * if its plugin may be replaced. Throws ERR_SERVICE_MISSING naming the plugin to add, ERR_SERVICE_UNLISTED.
   */
  use<T>(token: Token<T>): T
  /** Takes a service if there is one. */
  find<T>(token: Token<T>): T | undefined
  /** The validated values of keys; from the `endpoint` hook on. */
  settings<K extends KeySpecs>(keys: K): Settings<K>
  /** Runs after the `registerServices` taps of all plugins, before anything listens: for what can only be judged when everything is registered. */
  onRegistered(check: () => Promise<void>): void
  /** Runs when the plugin is taken out or the peer stops, after the `stop` taps, in reverse order of registration. */
  onDispose(dispose: () => Promise<void> | void): void
  /** Owns a promise that nobody awaits: its failure is logged with plugin and name, and stopping waits for it. */
  run(name: string, work: Promise<unknown>): void
  /** Asks the peer to stop in good order, as a signal would. */
  requestStop(reason: string): void
  /** Stops the peer because it must not go on (a failed commit, say): logged as critical, exit code 1. */
  fail(reason: unknown): void
}

/**
 * Checks a plugin's shape at compile time and freezes it.
 *
 * @example
 * export default definePlugin({
 *   name: 'hello',
 *   apply(peer) {
 *     peer.hooks.start.tap(async () => peer.log.info('hello'))
 *   },
 * })
 */
export function definePlugin(plugin: Plugin): Plugin {
  return Object.freeze(plugin)
}

/** `value` as a plugin. Throws ERR_PLUGIN_INVALID naming the place where it stands. */
export function checkPlugin(value: unknown, place: string): Plugin {
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
