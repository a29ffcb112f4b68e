/**
 * The event hub of v0.6, with replay.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
export { eventsKeys } from './keys.js'
