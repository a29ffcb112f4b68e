/**
 * `peer top`: a network in a terminal. See README.md.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
