/**
 * The v0.6 Admin service: status and stop, with `peer node status` and `peer node stop`.
 *
 * @packageDocumentation
 */
export { adminKeys } from './keys.js'
export { default } from './plugin.js'
