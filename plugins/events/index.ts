/**
 * The event hub of v0.6, with replay.
 *
 * @packageDocumentation
 */
export { EVENT_COUNTERS, type EventCounters } from './counters.js'
export { default } from './plugin.js'
export { eventsKeys } from './keys.js'
