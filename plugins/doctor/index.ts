/**
 * `peer doctor`: the checks that plugins bring, and what to do about what they find.
 *
 * @packageDocumentation
 */
export { DoctorCheck, type Patient, checkUsage } from './check.js'
export type { Finding } from './finding.js'
export { default } from './plugin.js'
