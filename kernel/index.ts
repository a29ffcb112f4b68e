/**
 * Everything a plugin author imports from Weft's kernel.
 *
 * @packageDocumentation
 */
export { type Clock, type Moment, systemClock } from './clock.js'
/** Options of commands (clipanion). */
export { Option } from 'clipanion'
export type { PeerCommandClass } from './cli/argv.js'
export { type PeerContext, PeerCommand } from './cli/command.js'
export { HELP_WIDTH, columns, usageText, wrapped } from './cli/output.js'
export { type DeclaredKey, declaredKeys } from './config/declared.js'
export { variableOf } from './config/environment.js'
export { type KeySpec, type KeySpecs, type Settings, defineKeys, key } from './config/keys.js'
export { address, choice, duration, flag, integer, list, map, text } from './config/kinds.js'
export type { LoadedSite } from './config/layers.js'
export type { SiteLoader, SiteSource } from './config/loader.js'
export { nearest } from './config/nearest.js'
export { peerKeys } from './config/peer-keys.js'
export { type ResolvedEntry, type ResolvedSettings, resolveSettings } from './config/resolve.js'
export { type Layer, type LayeredValue, type SiteConfig, placeOf } from './config/site.js'
export { type SiteFile, type SiteParts, createSite, defineConfig } from './define-site.js'
export { type ErrorCode, type ErrorFacts, PeerError, PluginError, assert, messageOf } from './errors.js'
export type { Endpoint, PluginHooks, RunningPeer, StopReason, Stores } from './hooks.js'
export type { Listener, ListenerOwner, ListenerParts, ListenerSet, Listeners, ServiceHandle } from './listeners.js'
export { LOG_LEVELS, type LogFacts, type LogLevel, type Logger, type Logging } from './logging.js'
export type { PluginManifest, StartFlag } from './manifest.js'
export { Peer, type PeerOptions } from './peer.js'
export { type Plugin, type PluginHost, definePlugin } from './plugin.js'
export { endsWithin } from './tasks.js'
export { type Token, createToken } from './token.js'
export { runUntilStopped } from './signals.js'
