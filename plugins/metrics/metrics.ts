import { createToken } from '../../kernel/index.js'

/** What one metric is. */
export interface MetricSpec {
  /** `peer_<area>_<what>_<unit>`; the unit is one of {@link METRIC_UNITS}. */
  readonly name: string
  /** One sentence. */
  readonly help: string
  /** Names of its labels; their values must come from a bounded set. */
  readonly labels?: readonly string[]
}

export type Labels = Readonly<Record<string, string>>

/** One value of a metric. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** One histogram: how many observations were at most each bound and above the bound before; `counts` has one more entry for the rest. */
export interface Distribution {
  readonly labels?: Labels
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
}

/** What reading a metric gives; undefined: nothing at the moment. */
export type Reading = number | Iterable<Sample> | undefined

/** How something is. The reason is for people, in either case. */
export interface CheckResult {
  readonly ok: boolean
  readonly reason: string
}

/** Judges one component; must answer within a second. */
export type HealthCheck = () => CheckResult | Promise<CheckResult>

/** What a check decides: `health`: red is for an operator to repair; `ready`: red means no transactions now, please. */
export type CheckScope = 'health' | 'ready'

/**
 * Metrics and health of this peer, for every plugin. Values are read when somebody asks for `/metrics`: keep plain numbers and read them here.
 * What is returned takes the metric or check out again; hand it to `peer.onDispose`.
 *
 * @example
 * peer.find(METRICS)?.gauge({ name: 'peer_loom_open_threads', help: 'Threads that are open.' }, () => loom.threads.size)
 */
export interface Metrics {
  /** Throws ERR_METRIC_NAME for a name against the rule, ERR_METRIC_TWICE for one that is taken. */
  gauge(spec: MetricSpec, read: () => Reading | Promise<Reading>): () => void
  /** A value that never goes down while the peer runs; its name ends with `_total`. Throws as `gauge` does. */
  counter(spec: MetricSpec, read: () => Reading | Promise<Reading>): () => void
  /** Throws as `gauge` does. */
  histogram(spec: MetricSpec, read: () => Iterable<Distribution>): () => void
  /** Adds a component to `/healthz` (scope `health`, the default) and `/readyz` (both scopes). Throws ERR_HEALTH_TWICE. */
  check(name: string, check: HealthCheck, scope?: CheckScope): () => void
}

/** Metrics and health checks: list it in `uses`. */
export const METRICS = createToken<Metrics>('metrics', 'weft/plugins/metrics')

/** Last words of metric names. Things that are counted and go up and down end with their plural. */
export const METRIC_UNITS: readonly string[] = Object.freeze([
  'seconds',
  'bytes',
  'total',
  'ratio',
  'info',
  'boolean',
  'number',
  'value',
  'blocks',
  'requests',
  'connections',
  'calls',
  'chaincodes',
  'peers',
  'consumers',
  'handles',
  'files',
  'threads',
])
