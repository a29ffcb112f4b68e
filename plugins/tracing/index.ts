/**
 * Spans of transactions for OpenTelemetry. See README.md.
 *
 * @packageDocumentation
 */
export { tracingKeys } from './keys.js'
export { default } from './plugin.js'
