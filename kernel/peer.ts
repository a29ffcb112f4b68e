import { resolve } from 'node:path'
import { systemClock, type Clock } from './clock.js'
import { peerKeys } from './config/peer-keys.js'
import { resolveSettings, type ResolvedSettings } from './config/resolve.js'
import { layered, type SiteConfig } from './config/site.js'
import { PeerError, PluginError, messageOf } from './errors.js'
import type { Endpoint, PeerHooks, StopReason } from './hooks.js'
import { noListeners, type ListenerOwner, type Listeners, type ListenerSet } from './listeners.js'
import { plainLogging, type Logger, type Logging } from './logging.js'
import { orderPlugins } from './order.js'
import { applyPlugin, buildHooks, type Guard, type HostContext, type PluginRecord } from './plugin-record.js'
import { checkPlugin, type Plugin } from './plugin.js'
import { ServiceRegistry } from './services.js'
import { limitTime } from './tasks.js'

/** How a peer is embedded: what a program or a test puts in place of the machine's. */
export interface PeerOptions {
  readonly clock?: Clock
  /** Default: what a plugin of the site brings, else bare lines on stderr. */
  readonly logging?: Logging
  /** How long one tap may take before the hook fails, in milliseconds. Default 60 000. */
  readonly tapLimitMs?: number
  /** How long stopping waits for a plugin's background tasks, in milliseconds. Default 10 000. */
  readonly taskLimitMs?: number
}

const DEFAULTS = { clock: systemClock, tapLimitMs: 60_000, taskLimitMs: 10_000 }

type State = 'new' | 'starting' | 'running' | 'stopping' | 'stopped'

/**
 * A peer: runs its site's plugins through the hooks, in order, and unwinds them in reverse.
 *
 * @example
 * const peer = new Peer(createSite({ plugins: [hello] }))
 * await peer.start()
 * await peer.stop()
 */
export class Peer {
  /** Resolves, once, when the peer has stopped: also after a failed start. Never rejects. */
  readonly finished: Promise<StopReason>
  readonly #options: PeerOptions & typeof DEFAULTS
  readonly #services = new ServiceRegistry()
  #logging: Logging
  #listeners: ListenerSet | undefined
  #finish: (reason: StopReason) => void = () => {}
  #state: State = 'new'
  #site: SiteConfig
  #resolved: ResolvedSettings | undefined
  #endpoint: Endpoint | undefined
  #records: readonly PluginRecord[] = []
  #asked: StopReason | undefined
  #stopping: Promise<void> | undefined
  #starting: Promise<void> | undefined
  /** The tail of the queue of changes (add, remove, replace): one at a time. */
  #change: Promise<void> = Promise.resolve()

  constructor(site: SiteConfig, options: PeerOptions = {}) {
    this.#site = site
    this.#options = { ...DEFAULTS, ...options }
    this.#logging = options.logging ?? plainLogging
    this.finished = new Promise((finish) => {
      this.#finish = finish
    })
  }

  /** The names of the live plugins, in their order. */
  get plugins(): readonly string[] {
    return this.#records.map(({ plugin }) => plugin.name)
  }

  /** Where a listener is bound, with the real port, also if 0 was asked for. Throws ERR_LISTENER_UNKNOWN. */
  listenerAddress(name = 'peer'): string {
    return this.#view({ name: 'kernel', ready: true }).get(name).address
  }

  /**
   * Runs `config`, `endpoint`, `db`, `registerServices`, binds the listeners and runs `start`.
   * Throws PluginError naming plugin and hook, or PeerError; what was started is stopped before.
   */
  start(): Promise<void> {
    if (this.#state !== 'new') return Promise.reject(new PeerError('ERR_PEER_STATE', `start: expected a new peer, this one is ${this.#state}`))
    this.#state = 'starting'
    this.#starting = this.#run()
    return this.#starting
  }

  /**
   * Stops in good order: refuses new calls, then unwinds plugin by plugin in reverse (stop taps, background tasks,
   * disposers), then closes the listeners. Every call returns the same outcome.
   * Throws ERR_PEER_STOP listing all that failed; everything else has been done nevertheless.
   */
  async stop(reason: string | StopReason = 'stop was called'): Promise<void> {
    const why = typeof reason === 'string' ? { why: reason, failed: false } : reason
    this.#asked ??= why
    // A start ends before its next tap and unwinds by itself; its failure is reported to who called start.
    if (this.#stopping === undefined) await Promise.allSettled([this.#starting])
    this.#stopping ??= this.#unwind(this.#asked)
    return this.#stopping
  }

  /** Stops the peer because it must not go on: logged as critical; `finished` says `failed`. */
  abort(reason: unknown): void {
    this.#log('abort').critical(messageOf(reason))
    this.#ask({ why: messageOf(reason), failed: true })
  }

  /** Adds a plugin to a running peer: all its hooks run. Throws as `start` does; the plugin is out again then. */
  add(plugin: Plugin): Promise<void> {
    return this.#exclusively('add', async () => {
      checkLate(plugin)
      await this.#enter(plugin)
    })
  }

  /** Takes a plugin out. Throws ERR_PLUGIN_REQUIRED if another one requires a service of it. */
  remove(name: string): Promise<void> {
    return this.#exclusively('remove', () => this.#out(this.#leaving(name), `plugin ${name} is removed`, false))
  }

  /**
   * Puts `plugin` in the place of the plugin `name`. Its methods answer UNAVAILABLE meanwhile. Others that took a service
   * earlier hold the old value: a plugin that wants to live through replacements calls `use` each time.
   * If the new one does not start, the old one is put back and the error thrown; if that fails too, the peer stops.
   */
  replace(name: string, plugin: Plugin): Promise<void> {
    return this.#exclusively('replace', async () => {
      const record = this.#leaving(name, plugin)
      await this.#out(record, `plugin ${name} is replaced`, true)
      try {
        await this.#enter(plugin)
      } catch (cause) {
        await this.#enter(record.plugin).catch((second: unknown) =>
          this.abort(`${messageOf(cause)}; the old ${name} does not start again either: ${messageOf(second)}`),
        )
        throw cause
      } finally {
        this.#listeners?.settle()
      }
    })
  }

  async #run(): Promise<void> {
    // The clock's timers do not keep a process alive, but a peer must, whatever its plugins hold open.
    const alive = setInterval(() => undefined, 60_000)
    void this.finished.then(() => clearInterval(alive))
    try {
      await this.#startAll()
      this.#state = 'running'
    } catch (cause) {
      this.#asked ??= { why: messageOf(cause), failed: true }
      this.#stopping = this.#unwind(this.#asked)
      await this.#stopping.catch((second: unknown) => this.#log('start').error(messageOf(second)))
      throw cause
    }
  }

  async #startAll(): Promise<void> {
    const plugins = this.#site.plugins.map((plugin, index) => checkPlugin(plugin, `plugins[${index}] in ${this.#site.file}`))
    const bringing = this.#options.logging === undefined ? plugins.find(({ logging }) => logging !== undefined) : undefined
    this.#logging = (await bringing?.logging?.(this.#site, this.#options.clock)) ?? this.#logging
    const context = this.#context()
    this.#records = orderPlugins(plugins).map((plugin) => applyPlugin(plugin, context))
    const hooks = buildHooks(this.#records, this.#guard)
    const settings = this.#configure(await hooks.config.promise(this.#site)).settings(peerKeys)
    this.#endpoint = await hooks.endpoint.promise({ id: settings['peer.id'], address: settings['peer.address'] })
    const listening = plugins.find(({ listeners }) => listeners !== undefined)
    const log = this.#logging.logger(listening?.name ?? 'kernel')
    this.#listeners = listening?.listeners?.({ log, clock: this.#options.clock, settings: (keys) => this.#settled().settings(keys) })
    this.#log('start').info(`Starting peer with ID=${this.#endpoint.id}, network ID=${settings['peer.networkId']}, address=${this.#endpoint.address}`)
    await this.#bringUp(this.#records, hooks, this.#endpoint)
  }

  /** The part of the start that a plugin goes through alone when it joins later. */
  async #bringUp(records: readonly PluginRecord[], hooks: PeerHooks, endpoint: Endpoint): Promise<void> {
    await hooks.db.promise({ directory: resolve(this.#settled().settings(peerKeys)['peer.fileSystemPath']) })
    for (const record of records) record.entered = true
    // Every plugin gets its own view instead of this one.
    const listeners = this.#view({ name: 'kernel', ready: true })
    await hooks.registerServices.promise(listeners)
    for (const { plugin } of records) this.#services.checkProvided(plugin)
    await this.#listeners?.open()
    await hooks.start.promise({ endpoint, listeners })
  }

  async #enter(plugin: Plugin): Promise<void> {
    const others = this.#records
    const order = orderPlugins([...others.map((record) => record.plugin), plugin])
    const record = applyPlugin(plugin, this.#context())
    const hooks = buildHooks([record], this.#guard)
    const before = this.#site
    const known = [...before.plugins.filter(({ name }) => name !== plugin.name), plugin]
    try {
      this.#configure(await hooks.config.promise(layered({ ...before, plugins: known })))
      const endpoint = this.#endpoint ?? { id: '', address: '' }
      const wanted = await hooks.endpoint.promise(endpoint)
      if (wanted.id !== endpoint.id || wanted.address !== endpoint.address) throw late(plugin, 'changes the endpoint')
      await this.#bringUp([record], hooks, endpoint)
    } catch (cause) {
      this.#configure(before)
      await this.#out(record, messageOf(cause), false)
      throw cause
    }
    const records = [...others, record]
    this.#records = order.flatMap((next) => records.filter((candidate) => candidate.plugin === next))
  }

  /** Unwinds one plugin of a running peer; what fails in it is logged. `awaited`: a successor comes. */
  async #out(record: PluginRecord, why: string, awaited: boolean): Promise<void> {
    this.#records = this.#records.filter((other) => other !== record)
    const errors = await this.#stopRecords([record], { why, failed: false }, awaited)
    for (const error of errors) this.#log('remove').error(messageOf(error))
  }

  /** The plugin `name`, if the others can live without it, or with `successor` instead of it. */
  #leaving(name: string, successor?: Plugin): PluginRecord {
    const record = this.#records.find(({ plugin }) => plugin.name === name)
    if (record === undefined) throw new PeerError('ERR_PLUGIN_UNKNOWN', `no plugin is named ${name}; there are: ${this.plugins.join(', ')}`)
    checkLate(record.plugin)
    if (successor !== undefined) checkLate(successor)
    const rest = this.#records.filter((other) => other !== record).map(({ plugin }) => plugin)
    for (const token of record.plugin.provides ?? []) {
      if (successor?.provides?.some((kept) => kept.name === token.name) === true) continue
      const needing = rest.find((other) => other.requires?.some((required) => required.name === token.name))
      if (needing === undefined) continue
      throw new PeerError('ERR_PLUGIN_REQUIRED', `plugin ${name} cannot go: ${needing.name} requires its ${token.name}`, {
        details: { plugin: name, neededBy: needing.name, token: token.name },
        hint: `replace it by one that provides ${token.name}, or remove ${needing.name} first`,
      })
    }
    orderPlugins(successor === undefined ? rest : [...rest, successor])
    return record
  }

  async #unwind(reason: StopReason): Promise<void> {
    await this.#change
    this.#state = 'stopping'
    this.#listeners?.drain()
    const errors = await this.#stopRecords(this.#records, reason, false)
    await this.#listeners?.close().catch((error: unknown) => void errors.push(error))
    this.#state = 'stopped'
    this.#log('stop').info(`the peer has stopped: ${reason.why}`)
    this.#finish({ why: reason.why, failed: reason.failed || errors.length > 0 })
    if (errors.length === 0) return
    throw new PeerError('ERR_PEER_STOP', `while stopping: ${errors.map(messageOf).join('; ')}`, { cause: new AggregateError(errors) })
  }

  /** Unwinds plugins in reverse order; nothing stops it. Returns what failed. */
  async #stopRecords(records: readonly PluginRecord[], reason: StopReason, awaited: boolean): Promise<unknown[]> {
    const errors: unknown[] = []
    const hooks = buildHooks(records, this.#guard, {
      stop: (record, act) => this.#guard(record, 'stop', act).catch((error: unknown) => void errors.push(error)),
      finish: (record) => this.#finishRecord(record, errors, awaited),
    })
    await hooks.stop.promise(reason)
    return errors
  }

  /** After a plugin's stop taps: its background tasks, its disposers, its services. */
  async #finishRecord({ plugin, tasks, disposers, owner }: PluginRecord, errors: unknown[], awaited: boolean): Promise<void> {
    await tasks.settle(this.#options.taskLimitMs)
    for (const dispose of disposers.splice(0).reverse()) {
      try {
        await limitTime(Promise.resolve(dispose()), this.#options.tapLimitMs, this.#options.clock, 'a disposer')
      } catch (error) {
        errors.push(new PluginError(plugin.name, 'dispose', error))
      }
    }
    // With the whole peer the listeners end together, at the end; a plugin alone takes only its own out.
    if (this.#state !== 'stopping') await this.#listeners?.release(owner, awaited)
    this.#services.drop(plugin)
  }

  /** Every act of a plugin goes through here. */
  readonly #guard: Guard = async (record, hook, act) => {
    if (this.#asked !== undefined && this.#state === 'starting' && hook !== 'stop')
      throw new PeerError('ERR_PEER_STOPPED', `asked to stop while starting: ${this.#asked.why}`)
    if (hook === 'db' || hook === 'registerServices' || hook === 'start') record.entered = true
    const { name } = record.plugin
    try {
      const outcome = act()
      // A plugin in JavaScript can return anything.
      if (!isPromise(outcome)) throw new PeerError('ERR_PLUGIN_TAP_SYNC', 'its tap returned no promise', { hint: 'write the tap as an async function' })
      return await limitTime(outcome, this.#options.tapLimitMs, this.#options.clock, 'its tap', (reason) =>
        this.#log(hook).error(`the tap of plugin ${name} that took too long failed: ${messageOf(reason)}`),
      )
    } catch (cause) {
      throw new PluginError(name, hook, cause)
    }
  }

  #context(): HostContext {
    return {
      logging: this.#logging,
      clock: this.#options.clock,
      services: this.#services,
      listeners: (owner) => this.#view(owner),
      resolved: () => this.#settled(),
      requestStop: (why) => this.#ask({ why, failed: false }),
      fail: (plugin, reason) => this.abort(`plugin ${plugin}: ${messageOf(reason)}`),
    }
  }

  #configure(site: SiteConfig): ResolvedSettings {
    const resolved = resolveSettings(site)
    this.#site = site
    this.#resolved = resolved
    this.#logging.configured?.(resolved)
    return resolved
  }

  #settled(): ResolvedSettings {
    if (this.#resolved !== undefined) return this.#resolved
    throw new PeerError('ERR_CONFIG_EARLY', 'settings are read before the config hook has ended', { hint: 'read them in the endpoint hook or later' })
  }

  #view(owner: ListenerOwner): Listeners {
    return this.#listeners?.view(owner) ?? noListeners
  }

  #log(area: string): Logger {
    return this.#logging.logger('kernel').in(area)
  }

  /** One change at a time, on a running peer only; stopping waits for it. */
  #exclusively(what: string, change: () => Promise<void>): Promise<void> {
    const done = this.#change.then(() => {
      if (this.#state === 'running' && this.#asked === undefined) return change()
      throw new PeerError('ERR_PEER_STATE', `${what}: expected a running peer, this one is ${this.#state}`)
    })
    // The caller gets the failure; the next in the queue only waits.
    this.#change = done.catch((reason: unknown) => this.#log(what).debug(messageOf(reason)))
    return done
  }

  #ask(reason: StopReason): void {
    this.stop(reason).catch((error: unknown) => this.#log('stop').error(messageOf(error)))
  }
}

/** Throws ERR_PLUGIN_LATE for a plugin that brings what a running peer cannot change. */
function checkLate(plugin: Plugin): void {
  if (plugin.listeners !== undefined || plugin.logging !== undefined) throw late(plugin, 'brings listeners or logging')
}

function late({ name }: Plugin, what: string): PeerError {
  return new PeerError('ERR_PLUGIN_LATE', `plugin ${name} ${what}, which is fixed once a peer runs`, { hint: 'change the site and restart the peer' })
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value
}
