/**
 * Commands with which a site is written, understood and checked.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
