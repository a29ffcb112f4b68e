/**
 * Commands with which a site is written, understood and checked.
 *
 * @packageDocumentation
 */
export type { CheckedSite, ConfigChecker } from './checker.js'
export type { ConfigNote } from './notes.js'
export { default } from './plugin.js'
