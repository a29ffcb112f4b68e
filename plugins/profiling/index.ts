/**
 * CPU and heap profiles of a running peer in pprof format. See README.md.
 *
 * @packageDocumentation
 */
export { profilingKeys } from './keys.js'
export { default } from './plugin.js'
