import type { Clock } from './clock.js'
import { PeerError, PluginError } from './errors.js'
import type { ListenerSet } from './listener-set.js'
import type { Logger, Logging } from './logging.js'
import type { Plugin, PluginHost } from './plugin.js'
import { createFacade, createTaps, type PluginRecord } from './plugin-record.js'
import type { ServiceRegistry } from './service-registry.js'
import { Tasks } from './tasks.js'
import type { ResolvedSettings } from './config/resolve.js'

/** What a plugin's host reaches in the peer. */
export interface HostContext {
  readonly logging: Logging
  readonly clock: Clock
  readonly services: ServiceRegistry
  readonly listeners: ListenerSet
  /** Throws before the configuration is resolved. */
  resolved(): ResolvedSettings
  requestStop(reason: string): void
  fail(plugin: string, reason: unknown): void
}

/** Makes a plugin's record and lets it register its taps. Throws PluginError with hook `apply`. */
export function applyPlugin(plugin: Plugin, context: HostContext): PluginRecord {
  const log = context.logging.logger(plugin.name)
  const owner = { name: plugin.name, ready: false }
  const record: PluginRecord = {
    plugin,
    taps: createTaps(),
    disposers: [],
    tasks: new Tasks(log, context.clock),
    owner,
    listeners: context.listeners.view(owner),
    entered: false,
  }
  try {
    const outcome: unknown = plugin.apply(createHost(record, log, context))
    if (outcome !== undefined) throw new PeerError('ERR_PLUGIN_APPLY', 'apply must register taps and return nothing; it returned a value or a promise')
  } catch (cause) {
    context.services.drop(plugin)
    throw new PluginError(plugin.name, 'apply', cause)
  }
  return record
}

function createHost(record: PluginRecord, log: Logger, context: HostContext): PluginHost {
  const { plugin } = record
  return Object.freeze<PluginHost>({
    hooks: createFacade(record.taps),
    log,
    clock: context.clock,
    provide: (token, value) => context.services.provide(plugin, token, value),
    use: (token) => context.services.use(plugin, token),
    find: (token) => context.services.find(plugin, token),
    settings: (keys) => context.resolved().settings(keys),
    onDispose: (dispose) => void record.disposers.push(dispose),
    run: (name, work) => record.tasks.run(name, work),
    requestStop: (reason) => context.requestStop(reason),
    fail: (reason) => context.fail(plugin.name, reason),
  })
}
