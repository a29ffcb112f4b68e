/**
 * Log lines as v0.6 writes them, or JSON.
 *
 * @packageDocumentation
 */
export type { LogStream, LogWriter } from './format.js'
export { loggingKeys } from './keys.js'
export { type ComponentLevel, type LevelControl, controlOf } from './level-control.js'
export { type LogLevels, parseLevels } from './levels.js'
export { type LevelledLogging, type LoggingOptions, createLogging } from './logging.js'
export { default } from './plugin.js'
