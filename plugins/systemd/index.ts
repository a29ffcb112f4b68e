/**
 * Readiness and watchdog for systemd.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
