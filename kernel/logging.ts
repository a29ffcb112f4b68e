/** Levels of v0.6, most severe first (spec/node.md §2.4). */
export const LOG_LEVELS = ['critical', 'error', 'warning', 'notice', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Facts printed after the message as `key=value`, or as members of the JSON line. */
export type LogFacts = Readonly<Record<string, unknown>>

/**
 * A logger of one module. A disabled level costs one comparison; build expensive facts only under `isEnabled`.
 */
export interface Logger {
  readonly module: string
  critical(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
  warning(message: string, facts?: LogFacts): void
  notice(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  debug(message: string, facts?: LogFacts): void
  isEnabled(level: LogLevel): boolean
  /** The same module's logger for one function or area: the second word of a v0.6 log line. */
  in(area: string): Logger
}

/** Makes the loggers of one process. */
export interface Logging {
  logger(module: string): Logger
}
