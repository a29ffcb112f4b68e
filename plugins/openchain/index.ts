/**
 * The v0.6 Openchain service: reading the chain.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
