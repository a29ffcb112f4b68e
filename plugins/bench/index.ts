/**
 * Measures a whole network as its clients see it.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
