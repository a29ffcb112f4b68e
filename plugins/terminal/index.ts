/**
 * What long commands share.
 *
 * @packageDocumentation
 */
export { Interruption } from './interruption.js'
