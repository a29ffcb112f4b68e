/**
 * Everything a plugin author imports from Weft's kernel.
 *
 * @packageDocumentation
 */
export { type Clock, type Moment, systemClock } from './clock.js'
export { PeerCommand } from './cli/command.js'
export { type KeySpec, type KeySpecs, type Settings, defineKeys, key } from './config/keys.js'
export { address, choice, duration, flag, integer, list, map, text } from './config/kinds.js'
export { peerKeys } from './config/peer-keys.js'
export { type Layer, type LayeredValue, type SiteConfig, type SiteFile, defineConfig } from './config/site.js'
export { type ErrorCode, type ErrorFacts, PeerError, PluginError, assert, messageOf } from './errors.js'
export type { Endpoint, PluginHooks, RunningPeer, StopReason, Stores } from './hooks.js'
export type { Listener, Listeners, ServiceHandle } from './listeners.js'
export { LOG_LEVELS, type LogFacts, type LogLevel, type Logger, type Logging } from './logging.js'
export { Peer, type PeerOptions } from './peer.js'
export { type Plugin, type PluginHost, definePlugin } from './plugin.js'
export { type Token, createToken } from './services.js'
