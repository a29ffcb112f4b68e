import type { SiteConfig } from './config/site.js'
import { createHooks, type Endpoint, type PeerHooks, type PluginHooks, type RunningPeer, type StopReason, type Stores } from './hooks.js'
import type { ListenerOwner } from './listener-set.js'
import type { Listeners } from './listeners.js'
import type { Plugin } from './plugin.js'
import type { Tasks } from './tasks.js'

/** The taps of one plugin, in the order in which it made them. */
interface Taps {
  readonly config: ((site: SiteConfig) => Promise<SiteConfig>)[]
  readonly endpoint: ((endpoint: Endpoint) => Promise<Endpoint>)[]
  readonly db: ((stores: Stores) => Promise<void>)[]
  readonly registerServices: ((listeners: Listeners) => Promise<void>)[]
  readonly start: ((peer: RunningPeer) => Promise<void>)[]
  readonly stop: ((reason: StopReason) => Promise<void>)[]
}

/** Everything that the kernel remembers about one live plugin, so that it can be taken out alone. */
export interface PluginRecord {
  readonly plugin: Plugin
  readonly taps: Taps
  readonly disposers: (() => Promise<void> | void)[]
  readonly tasks: Tasks
  readonly owner: ListenerOwner
  readonly listeners: Listeners
  /** True once one of its db, registerServices or start taps began, or db passed although it has none: its stop taps must run. */
  entered: boolean
}

/** Runs one act of a plugin: attributes failures to plugin and hook and limits the time. */
export type Guard = <T>(record: PluginRecord, hook: keyof PeerHooks, act: () => Promise<T>) => Promise<T>

export function createTaps(): Taps {
  return { config: [], endpoint: [], db: [], registerServices: [], start: [], stop: [] }
}

/** The facade: taps are only written down. The literal names every hook, or it does not compile. */
export function createFacade(taps: Taps): PluginHooks {
  return Object.freeze<PluginHooks>({
    config: { tap: (task) => void taps.config.push(task) },
    endpoint: { tap: (task) => void taps.endpoint.push(task) },
    db: { tap: (task) => void taps.db.push(task) },
    registerServices: { tap: (task) => void taps.registerServices.push(task) },
    start: { tap: (task) => void taps.start.push(task) },
    stop: { tap: (task) => void taps.stop.push(task) },
  })
}

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
    const { name } = record.plugin
    const { taps } = record
    for (const task of taps.config) hooks.config.tapPromise(name, (site) => guard(record, 'config', () => task(site)))
    for (const task of taps.endpoint) hooks.endpoint.tapPromise(name, (endpoint) => guard(record, 'endpoint', () => task(endpoint)))
    for (const task of taps.db) hooks.db.tapPromise(name, (stores) => guard(record, 'db', () => task(stores)))
    for (const task of taps.registerServices) hooks.registerServices.tapPromise(name, () => guard(record, 'registerServices', () => task(record.listeners)))
    hooks.start.tapPromise(name, async (peer) => {
      // From here on its services answer: what it starts may call back, and all that it depends on has started.
      record.owner.ready = true
      for (const task of taps.start) await guard(record, 'start', () => task({ ...peer, listeners: record.listeners }))
    })
  }
  if (unwinding !== undefined) tapStop(hooks, records, unwinding)
  return hooks
}

function tapStop(hooks: PeerHooks, records: readonly PluginRecord[], unwinding: Unwinding): void {
  for (const record of [...records].reverse()) {
    const { name } = record.plugin
    for (const task of [...record.taps.stop].reverse()) {
      hooks.stop.tapPromise(name, async (reason) => {
        if (record.entered) await unwinding.stop(record, () => task(reason))
      })
    }
    hooks.stop.tapPromise(name, () => unwinding.finish(record))
  }
}
