/**
 * Everything a plugin author imports from Weft's kernel.
 *
 * @packageDocumentation
 */
export { type Clock, type Moment, systemClock } from './clock.js'
/** Options of commands (clipanion). */
export { Option } from 'clipanion'
export { type PeerCommandClass } from './cli/argv.js'
export { type ClientClass, PeerCommand } from './cli/command.js'
export type { PeerContext } from './cli/context.js'
export { rpcErrorText } from './cli/dial.js'
export { type DeclaredKey, declaredKeys } from './config/declared.js'
export { type KeySpec, type KeySpecs, type Settings, defineKeys, key } from './config/keys.js'
export { address, choice, duration, flag, integer, list, map, text } from './config/kinds.js'
export { type LoadedSite, type SiteSources, loadFiles, loadSite } from './config/load.js'
export { nearest } from './config/nearest.js'
export { ownPackage } from './config/own-package.js'
export { peerKeys } from './config/peer-keys.js'
export { type ConfigNote, type ResolvedEntry, type ResolvedSettings, resolveSettings } from './config/resolve.js'
export { type Layer, type LayeredValue, type SiteConfig, type SiteFile, type SiteParts, createSite, defineConfig } from './config/site.js'
export { type ErrorCode, type ErrorFacts, PeerError, PluginError, assert, messageOf } from './errors.js'
export { type GrpcStatus, failStream, streaming, toGrpcStatus, unary } from './grpc.js'
export type { Endpoint, PluginHooks, RunningPeer, StopReason, Stores } from './hooks.js'
export type { Listener, Listeners, ServiceHandle } from './listeners.js'
export {
  LOG_LEVELS,
  type LogFacts,
  type LogLevel,
  type LogLevels,
  type Logger,
  type Logging,
  type LoggingOptions,
  createLogging,
  parseLevels,
} from './logging.js'
export { Peer, type PeerOptions } from './peer.js'
export { type Plugin, type PluginHost, type StartFlag, definePlugin } from './plugin.js'
export { type Token, createToken } from './services.js'
export { type SignalSource, runUntilStopped } from './signals.js'
export { clientCredentials } from './tls.js'
export { type ModuleExports, loadTypeScript } from './config/typescript.js'
