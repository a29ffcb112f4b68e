import type { Clock } from './clock.js'
import type { ResolvedSettings } from './config/resolve.js'
import { PeerError, PluginError } from './errors.js'
import { createHooks, type PeerHooks, type PluginHooks } from './hooks.js'
import type { ListenerOwner, Listeners } from './listeners.js'
import type { Logger, Logging } from './logging.js'
import type { Plugin, PluginHost } from './plugin.js'
import type { ServiceRegistry } from './services.js'
import { Tasks } from './tasks.js'

/** The taps of one plugin, in the order in which it made them. */
type Taps = { readonly [Name in keyof PluginHooks]: Parameters<PluginHooks[Name]['tap']>[0][] }

/** Everything that the kernel remembers about one live plugin, so that it can be taken out alone. */
export interface PluginRecord {
  readonly plugin: Plugin
  readonly taps: Taps
  readonly checks: (() => Promise<void>)[]
  readonly disposers: (() => Promise<void> | void)[]
  readonly tasks: Tasks
  readonly owner: ListenerOwner
  /** The listeners as this plugin sees them, so that what it adds is known to be its own. */
  readonly listeners: Listeners
  /** True once one of its db, registerServices or start taps began, or db passed although it has none: its stop taps must run. */
  entered: boolean
}

/** What a plugin reaches in the peer. */
export interface HostContext {
  readonly logging: Logging
  readonly clock: Clock
  readonly services: ServiceRegistry
  listeners(owner: ListenerOwner): Listeners
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
    taps: { config: [], endpoint: [], db: [], registerServices: [], start: [], stop: [] },
    checks: [],
    disposers: [],
    tasks: new Tasks(log, context.clock),
    owner,
    get listeners() {
      return context.listeners(owner)
    },
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

function createHost({ plugin, taps, checks, disposers, tasks }: PluginRecord, log: Logger, context: HostContext): PluginHost {
  return Object.freeze<PluginHost>({
    // Taps are only written down. The literal names every hook, or it does not compile.
    hooks: Object.freeze<PluginHooks>({
      config: { tap: (task) => void taps.config.push(task) },
      endpoint: { tap: (task) => void taps.endpoint.push(task) },
      db: { tap: (task) => void taps.db.push(task) },
      registerServices: { tap: (task) => void taps.registerServices.push(task) },
      start: { tap: (task) => void taps.start.push(task) },
      stop: { tap: (task) => void taps.stop.push(task) },
    }),
    log,
    clock: context.clock,
    provide: (token, value) => context.services.provide(plugin, token, value),
    use: (token) => context.services.use(plugin, token),
    find: (token) => context.services.find(plugin, token),
    settings: (keys) => context.resolved().settings(keys),
    onRegistered: (check) => void checks.push(check),
    onDispose: (dispose) => void disposers.push(dispose),
    run: (name, work) => tasks.run(name, work),
    requestStop: (reason) => context.requestStop(reason),
    fail: (reason) => context.fail(plugin.name, reason),
  })
}

/** Runs one act of a plugin: attributes failures to plugin and hook and limits the time. */
export type Guard = <T>(record: PluginRecord, hook: keyof PeerHooks, act: () => Promise<T>) => Promise<T>

/** How stopping differs: failures do not end it, and every plugin is finished after its stop taps. */
export interface Unwinding {
  stop(record: PluginRecord, act: () => Promise<void>): Promise<void>
  finish(record: PluginRecord): Promise<void>
}

/**
 * One generation of hooks: fresh, from the taps of these records, since tapable has no way to untap.
 * With `unwinding` its `stop` runs in reverse: of the plugins, and of each plugin's stop taps.
 */
export function buildHooks(records: readonly PluginRecord[], guard: Guard, unwinding?: Unwinding): PeerHooks {
  const hooks = createHooks()
  for (const record of records) {
    const { plugin, taps, owner } = record
    for (const task of taps.config) hooks.config.tapPromise(plugin.name, (site) => guard(record, 'config', () => task(site)))
    for (const task of taps.endpoint) hooks.endpoint.tapPromise(plugin.name, (endpoint) => guard(record, 'endpoint', () => task(endpoint)))
    for (const task of taps.db) hooks.db.tapPromise(plugin.name, (stores) => guard(record, 'db', () => task(stores)))
    for (const task of taps.registerServices)
      hooks.registerServices.tapPromise(plugin.name, () => guard(record, 'registerServices', () => task(record.listeners)))
    hooks.start.tapPromise(plugin.name, async (peer) => {
      // From here on its services answer: what it starts may call back, and all that it depends on has started.
      owner.ready = true
      for (const task of taps.start) await guard(record, 'start', () => task({ ...peer, listeners: record.listeners }))
    })
  }
  for (const record of records)
    for (const check of record.checks) hooks.registerServices.tapPromise(record.plugin.name, () => guard(record, 'registerServices', check))
  for (const record of [...records].reverse()) {
    const { plugin, taps } = record
    const tasks = record.entered ? [...taps.stop].reverse() : []
    for (const task of tasks) hooks.stop.tapPromise(plugin.name, async (reason) => unwinding?.stop(record, () => task(reason)))
    hooks.stop.tapPromise(plugin.name, async () => unwinding?.finish(record))
  }
  return hooks
}
