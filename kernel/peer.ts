import { resolve } from 'node:path'
import { systemClock, type Clock } from './clock.js'
import { peerKeys } from './config/peer-keys.js'
import { resolveSettings, type ResolvedSettings } from './config/resolve.js'
import { createSite, type SiteConfig } from './config/site.js'
import { configuredEndpoint } from './endpoint.js'
import { PeerError, PluginError, messageOf } from './errors.js'
import { limitTime } from './limit-time.js'
import type { Endpoint, PeerHooks, StopReason } from './hooks.js'
import type { ListenerLimits } from './grpc-listener.js'
import { ListenerSet } from './listener-set.js'
import { lockDirectory, type DirectoryLock } from './lock.js'
import { createLogging, type Logger, type Logging } from './logging.js'
import { orderPlugins } from './order.js'
import { applyPlugin, type HostContext } from './plugin-host.js'
import { buildHooks, type Guard, type PluginRecord } from './plugin-record.js'
import type { Plugin } from './plugin.js'
import { ServiceRegistry } from './service-registry.js'
import { loadTls, serverCredentials } from './tls.js'

/** How a peer is embedded: what a program or a test puts in place of the machine's. */
export interface PeerOptions {
  readonly clock?: Clock
  /** Default: text or JSON on stderr as `logging.format` says, levels of `logging.level`, else `logging.node`. */
  readonly logging?: Logging
  /** How long one tap may take before the hook fails, in milliseconds. Default 60 000. */
  readonly tapLimitMs?: number
  /** How long stopping waits for a plugin's background tasks, in milliseconds. Default 10 000. */
  readonly taskLimitMs?: number
}

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
  readonly #clock: Clock
  readonly #logging: Logging
  readonly #log: Logger
  readonly #tapLimitMs: number
  readonly #taskLimitMs: number
  readonly #services = new ServiceRegistry()
  readonly #listeners: ListenerSet
  readonly #ownLogging: boolean
  #finish: (reason: StopReason) => void = () => {}
  #state: State = 'new'
  #site: SiteConfig
  #resolved: ResolvedSettings | undefined
  #endpoint: Endpoint | undefined
  #records: readonly PluginRecord[] = []
  #lock: DirectoryLock | undefined
  #asked: StopReason | undefined
  #stopping: Promise<void> | undefined
  #starting: Promise<void> | undefined
  /** The tail of the queue of changes (add, remove, replace): one at a time. */
  #change: Promise<void> = Promise.resolve()

  constructor(site: SiteConfig, options: PeerOptions = {}) {
    this.#site = site
    this.#clock = options.clock ?? systemClock
    this.#ownLogging = options.logging === undefined
    this.#logging = options.logging ?? createLogging({ spec: 'info', format: formatOf(site), clock: this.#clock })
    this.#log = this.#logging.logger('kernel')
    this.#tapLimitMs = options.tapLimitMs ?? 60_000
    this.#taskLimitMs = options.taskLimitMs ?? 10_000
    this.#listeners = new ListenerSet(() => this.#limits(), this.#logging.logger('grpc'), this.#clock)
    this.finished = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  /** The names of the live plugins, in their order. */
  get plugins(): readonly string[] {
    return this.#records.map(({ plugin }) => plugin.name)
  }

  /** Where a listener is bound, with the real port, also if 0 was asked for. Throws ERR_LISTENER_UNKNOWN. */
  listenerAddress(name = 'peer'): string {
    return this.#listeners.view({ name: 'kernel', ready: true }).get(name).address
  }

  /**
   * Runs `config`, `endpoint`, `db`, `registerServices`, binds the listeners and runs `start`.
   *
   * @throws PluginError naming plugin and hook, or PeerError; what was started is stopped before
   */
  start(): Promise<void> {
    if (this.#state !== 'new') return Promise.reject(new PeerError('ERR_PEER_STATE', `start: expected a new peer, this one is ${this.#state}`))
    this.#state = 'starting'
    this.#starting = this.#keepAlive(() => this.#run())
    return this.#starting
  }

  /**
   * Stops in good order: refuses new calls, then unwinds plugin by plugin in reverse (stop taps, background tasks,
   * disposers), closes the listeners, frees the directory. Every call returns the same outcome.
   *
   * @throws PeerError ERR_PEER_STOP listing all that failed; everything else has been done nevertheless
   */
  async stop(reason: string | StopReason = 'stop was called'): Promise<void> {
    const why = typeof reason === 'string' ? { why: reason, failed: false } : reason
    this.#asked ??= why
    if (this.#state === 'starting' && this.#stopping === undefined) {
      // The start ends before its next tap and unwinds by itself; its failure is reported to who called start.
      await Promise.allSettled([this.#starting])
    }
    this.#stopping ??= this.#keepAlive(() => this.#unwind(this.#asked ?? why))
    return this.#stopping
  }

  /** Stops the peer because it must not go on: logged as critical; `finished` says `failed`. */
  abort(reason: unknown): void {
    this.#log.in('abort').critical(messageOf(reason))
    this.#ask({ why: messageOf(reason), failed: true })
  }

  /** Adds a plugin to a running peer: all its hooks run. Throws as `start` does; the plugin is out again then. */
  add(plugin: Plugin): Promise<void> {
    return this.#exclusively('add', () => this.#enter(plugin))
  }

  /** Takes a plugin out. Throws ERR_PLUGIN_REQUIRED if another one requires a service of it. */
  remove(name: string): Promise<void> {
    return this.#exclusively('remove', async () => {
      const record = this.#find(name)
      this.#checkWithout(record, undefined)
      await this.#out(record, { why: `plugin ${name} is removed`, failed: false }, false)
    })
  }

  /**
   * Puts `plugin` in the place of the plugin `name`. Its methods answer UNAVAILABLE meanwhile. Others that took a service
   * earlier hold the old value: a plugin that wants to live through replacements calls `use` each time.
   * If the new one does not start, the old one is put back and the error thrown; if that fails too, the peer stops.
   */
  replace(name: string, plugin: Plugin): Promise<void> {
    return this.#exclusively('replace', async () => {
      const record = this.#find(name)
      this.#checkWithout(record, plugin)
      await this.#out(record, { why: `plugin ${name} is replaced`, failed: false }, true)
      try {
        await this.#enter(plugin)
      } catch (cause) {
        await this.#enter(record.plugin).catch((second: unknown) =>
          this.abort(`${messageOf(cause)}; the old ${name} does not start again either: ${messageOf(second)}`),
        )
        throw cause
      } finally {
        this.#listeners.settle()
      }
    })
  }

  async #run(): Promise<void> {
    try {
      await this.#startAll()
      this.#state = 'running'
      this.#checkAsked()
    } catch (cause) {
      this.#asked ??= { why: messageOf(cause), failed: true }
      this.#stopping = this.#unwind(this.#asked)
      await this.#stopping.catch((second: unknown) => this.#log.in('start').error(messageOf(second)))
      throw cause
    }
  }

  async #startAll(): Promise<void> {
    const context = this.#context()
    this.#records = orderPlugins(this.#site.plugins).map((plugin) => applyPlugin(plugin, context))
    const hooks = buildHooks(this.#records, this.#guard)
    this.#configure(await hooks.config.promise(this.#site))
    const settings = this.#settled().settings(peerKeys)
    this.#listeners.view({ name: 'kernel', ready: false }).declare('peer', settings['peer.listenAddress'], 'peer.listenAddress')
    this.#endpoint = await hooks.endpoint.promise(configuredEndpoint(settings))
    loadTls(settings) // before anything is opened or bound
    this.#lock = lockDirectory(resolve(settings['peer.fileSystemPath']))
    const { id, address } = this.#endpoint
    this.#log.in('start').info(`Starting peer with ID=${id}, network ID=${settings['peer.networkId']}, address=${address}`)
    await this.#bringUp(this.#records, hooks, this.#endpoint)
    this.#lock.writePid()
  }

  /** The part of the start that a plugin goes through alone when it joins later. */
  async #bringUp(records: readonly PluginRecord[], hooks: PeerHooks, endpoint: Endpoint): Promise<void> {
    const settings = this.#settled().settings(peerKeys)
    await hooks.db.promise({ directory: resolve(settings['peer.fileSystemPath']) })
    for (const record of records) record.entered = true
    // Every plugin gets its own view instead of this one, so that what it adds is known to be its own.
    const listeners = this.#listeners.view({ name: 'kernel', ready: true })
    await hooks.registerServices.promise(listeners)
    for (const { plugin } of records) this.#services.checkProvided(plugin)
    await this.#listeners.open(serverCredentials(loadTls(settings)))
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
      this.#configure(await hooks.config.promise(createSite({ ...before, plugins: known })))
      const endpoint = this.#endpoint ?? configuredEndpoint(this.#settled().settings(peerKeys))
      const wanted = await hooks.endpoint.promise(endpoint)
      if (wanted.id !== endpoint.id || wanted.address !== endpoint.address) {
        throw new PeerError('ERR_PLUGIN_LATE', `plugin ${plugin.name} changes the endpoint, which is fixed once a peer runs`, {
          hint: 'restart the peer with it',
        })
      }
      await this.#bringUp([record], hooks, endpoint)
    } catch (cause) {
      this.#configure(before)
      await this.#out(record, { why: messageOf(cause), failed: true }, false)
      throw cause
    }
    const records = [...others, record]
    this.#records = order.flatMap((next) => records.filter((candidate) => candidate.plugin === next))
  }

  /** Unwinds one plugin of a running peer; what fails in it is logged. `awaited`: a successor comes. */
  async #out(record: PluginRecord, reason: StopReason, awaited: boolean): Promise<void> {
    this.#records = this.#records.filter((other) => other !== record)
    for (const error of await this.#stopRecords([record], reason, awaited)) this.#log.in('remove').error(messageOf(error))
  }

  /** Throws ERR_PLUGIN_REQUIRED or an error of {@link orderPlugins} if the others cannot live with `successor` instead of `record`. */
  #checkWithout(record: PluginRecord, successor: Plugin | undefined): void {
    const rest = this.#records.filter((other) => other !== record).map(({ plugin }) => plugin)
    const kept = new Set((successor?.provides ?? []).map(({ name }) => name))
    for (const token of record.plugin.provides ?? []) {
      const needing = rest.find((other) => other.requires?.some(({ name }) => name === token.name))
      if (needing === undefined || kept.has(token.name)) continue
      throw new PeerError('ERR_PLUGIN_REQUIRED', `plugin ${record.plugin.name} cannot go: ${needing.name} requires its ${token.name}`, {
        details: { plugin: record.plugin.name, neededBy: needing.name, token: token.name },
        hint: successor === undefined ? `replace it, or remove ${needing.name} first` : `the new plugin has to provide ${token.name} too`,
      })
    }
    if (successor !== undefined) orderPlugins([...rest, successor])
  }

  async #unwind(reason: StopReason): Promise<void> {
    await this.#change
    this.#state = 'stopping'
    this.#listeners.drain()
    const errors = await this.#stopRecords(this.#records, reason, false)
    try {
      await this.#listeners.close()
      this.#lock?.release()
    } catch (error) {
      errors.push(error)
    }
    this.#state = 'stopped'
    this.#log.in('stop').info(`the peer has stopped: ${reason.why}`)
    this.#finish({ why: reason.why, failed: reason.failed || errors.length > 0 })
    if (errors.length === 0) return
    throw new PeerError('ERR_PEER_STOP', `while stopping: ${errors.map(messageOf).join('; ')}`, { cause: new AggregateError(errors) })
  }

  /** Unwinds plugins in reverse order; nothing stops it. Returns what failed. */
  async #stopRecords(records: readonly PluginRecord[], reason: StopReason, awaited: boolean): Promise<unknown[]> {
    const errors: unknown[] = []
    const hooks = buildHooks(records, this.#guard, {
      stop: async (record, act) => {
        try {
          await this.#guard(record, 'stop', act)
        } catch (error) {
          errors.push(error)
        }
      },
      finish: (record) => this.#finishRecord(record, errors, awaited),
    })
    await hooks.stop.promise(reason)
    return errors
  }

  /** After a plugin's stop taps: its background tasks, its disposers, its services. */
  async #finishRecord(record: PluginRecord, errors: unknown[], awaited: boolean): Promise<void> {
    await record.tasks.settle(this.#taskLimitMs)
    for (const dispose of record.disposers.splice(0).reverse()) {
      try {
        await limitTime(Promise.resolve(dispose()), this.#tapLimitMs, this.#clock, 'a disposer')
      } catch (error) {
        errors.push(new PluginError(record.plugin.name, 'dispose', error))
      }
    }
    // With the whole peer the listeners end together, at the end; a plugin alone takes only its own out.
    if (this.#state !== 'stopping') await this.#listeners.release(record.owner, awaited)
    this.#services.drop(record.plugin)
  }

  /** Every act of a plugin goes through here. */
  readonly #guard: Guard = async (record, hook, act) => {
    if (hook !== 'stop') this.#checkAsked()
    if (hook === 'db' || hook === 'registerServices' || hook === 'start') record.entered = true
    const { name } = record.plugin
    try {
      const outcome = act()
      // A plugin in JavaScript can return anything.
      if (!isPromise(outcome)) throw new PeerError('ERR_PLUGIN_TAP_SYNC', 'its tap returned no promise', { hint: 'write the tap as an async function' })
      return await limitTime(outcome, this.#tapLimitMs, this.#clock, 'its tap', (reason) =>
        this.#log.in(hook).error(`the tap of plugin ${name} that took too long failed: ${messageOf(reason)}`),
      )
    } catch (cause) {
      throw new PluginError(name, hook, cause)
    }
  }

  #context(): HostContext {
    return {
      logging: this.#logging,
      clock: this.#clock,
      services: this.#services,
      listeners: this.#listeners,
      resolved: () => this.#settled(),
      requestStop: (why) => this.#ask({ why, failed: false }),
      fail: (plugin, reason) => this.abort(`plugin ${plugin}: ${messageOf(reason)}`),
    }
  }

  #configure(site: SiteConfig): void {
    const resolved = resolveSettings(site)
    this.#site = site
    this.#resolved = resolved
    const settings = resolved.settings(peerKeys)
    if (this.#ownLogging) this.#logging.setLevels(settings['logging.level'] ?? settings['logging.node'])
    // Once: a plugin that joins later must not repeat them.
    if (this.#state === 'starting') for (const { level, message } of resolved.notes) this.#log.in('config')[level](message)
  }

  #settled(): ResolvedSettings {
    if (this.#resolved !== undefined) return this.#resolved
    throw new PeerError('ERR_CONFIG_EARLY', 'settings are read before the config hook has ended', { hint: 'read them in the endpoint hook or later' })
  }

  #limits(): ListenerLimits {
    const settings = this.#settled().settings(peerKeys)
    return {
      messageBytes: settings['peer.limits.messageBytes'],
      connections: settings['peer.limits.connections'],
      streams: settings['peer.limits.streams'],
    }
  }

  #find(name: string): PluginRecord {
    const found = this.#records.find(({ plugin }) => plugin.name === name)
    if (found !== undefined) return found
    throw new PeerError('ERR_PLUGIN_UNKNOWN', `no plugin is named ${name}; there are: ${this.plugins.join(', ')}`)
  }

  /** One change at a time, on a running peer only; stopping waits for it. */
  #exclusively(what: string, change: () => Promise<void>): Promise<void> {
    const done = this.#change.then(() => {
      if (this.#state === 'running' && this.#asked === undefined) return change()
      throw new PeerError('ERR_PEER_STATE', `${what}: expected a running peer, this one is ${this.#state}`)
    })
    // The caller gets the failure; the next in the queue only waits.
    this.#change = done.catch((reason: unknown) => this.#log.in(what).debug(messageOf(reason)))
    return done
  }

  #checkAsked(): void {
    if (this.#asked !== undefined && this.#state === 'starting') throw new PeerError('ERR_PEER_STOPPED', `asked to stop while starting: ${this.#asked.why}`)
  }

  #ask(reason: StopReason): void {
    this.stop(reason).catch((error: unknown) => this.#log.in('stop').error(messageOf(error)))
  }

  /** The clock's timers do not keep a process alive, but an unfinished start or stop must. */
  async #keepAlive(work: () => Promise<void>): Promise<void> {
    const handle = setInterval(() => undefined, 60_000)
    try {
      await work()
    } finally {
      clearInterval(handle)
    }
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value
}

function formatOf(site: SiteConfig): 'text' | 'json' {
  return site.values.get('logging.format')?.value === 'json' ? 'json' : 'text'
}
