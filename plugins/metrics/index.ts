/**
 * Metrics and health of a peer. See README.md.
 *
 * @packageDocumentation
 */
export { metricsKeys } from './keys.js'
export {
  type CheckResult,
  type CheckScope,
  type Distribution,
  type HealthCheck,
  METRICS,
  METRIC_UNITS,
  type Metrics,
  type MetricSpec,
  type Reading,
  type Sample,
} from './metrics.js'
export { default } from './plugin.js'
