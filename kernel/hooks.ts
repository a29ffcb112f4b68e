import { AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import type { SiteConfig } from './config/site.js'
import type { Listeners } from './listeners.js'

/** Who this peer is and where others reach it. */
export interface Endpoint {
  /** `peer.id`: the map key everywhere. */
  readonly id: string
  /** `host:port` that others dial. */
  readonly address: string
}

/** Where stores are opened. */
export interface Stores {
  /** Absolute path of `peer.fileSystemPath`. Who opens files there makes it if it is missing. */
  readonly directory: string
}

/** The running peer, as `start` taps see it. */
export interface RunningPeer {
  readonly endpoint: Endpoint
  readonly listeners: Listeners
}

/** Why the peer stops: a signal, a request, a failure. */
export interface StopReason {
  readonly why: string
  readonly failed: boolean
}

/**
 * Every moment of life that a plugin can act on, in this order. The kernel calls these; plugins tap them only through
 * {@link PluginHooks}. Hooks are for moments of life; traffic goes through services.
 */
export const createHooks = () =>
  Object.freeze({
    /** Once per load. Returns the configuration that the next plugin sees; a throw ends the start and names the plugin. */
    config: new AsyncSeriesWaterfallHook<[config: SiteConfig]>(['config'], 'config'),
    /** The configuration is final. Returns the endpoint that the next plugin sees. */
    endpoint: new AsyncSeriesWaterfallHook<[endpoint: Endpoint]>(['endpoint'], 'endpoint'),
    /** Nothing listens yet. Open stores, recover, make the first record. */
    db: new AsyncSeriesHook<[stores: Stores]>(['stores'], 'db'),
    /** Add services to listeners; nothing listens yet. */
    registerServices: new AsyncSeriesHook<[listeners: Listeners]>(['listeners'], 'registerServices'),
    /** The listeners are bound; a plugin's own services answer from the moment its taps begin. Join, start engines. */
    start: new AsyncSeriesHook<[peer: RunningPeer]>(['peer'], 'start'),
    /**
     * The inverse of `start` and `db`: plugins in reverse order, and the taps of each in reverse; always runs, also after a failed start.
     * After its taps a plugin's background tasks are awaited and its disposers run, then comes the plugin before it.
     */
    stop: new AsyncSeriesHook<[reason: StopReason]>(['reason'], 'stop'),
  })

export type PeerHooks = ReturnType<typeof createHooks>

/** What plugins get: the same moments, with promise functions only, so that nothing is left unawaited. A waterfall tap returns the value that the next plugin sees. */
export type PluginHooks = {
  readonly [Name in keyof PeerHooks]: PeerHooks[Name] extends AsyncSeriesWaterfallHook<[infer V]>
    ? { tap(task: (value: V) => Promise<V>): void }
    : PeerHooks[Name] extends AsyncSeriesHook<[infer V]>
      ? { tap(task: (value: V) => Promise<void>): void }
      : never
}
