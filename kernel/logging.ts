import { pino } from 'pino'
import { systemClock, type Clock } from './clock.js'
import { jsonWriter, textWriter, type LogStream, type LogWriter } from './log-format.js'
import { LOG_LEVELS, parseLevels, type LogFacts, type LogLevel } from './log-levels.js'

export { LOG_LEVELS, parseLevels, type LogFacts, type LogLevel, type LogLevels } from './log-levels.js'

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
  /** Changes the levels of all loggers, also of those made before; a bad spec is logged as a warning and means INFO. */
  setLevels(spec: string): void
}

export interface LoggingOptions {
  /** Levels, see {@link parseLevels}. */
  readonly spec: string
  /** `text` (default): one v0.6 line an event; `json`: one JSON object an event. */
  readonly format?: 'text' | 'json'
  /** Default: stderr, written at once, so that nothing is lost in a crash. Colours only if it is a terminal. */
  readonly stream?: LogStream
  readonly clock?: Clock
}

/**
 * Logging of one process.
 *
 * @example
 * const log = createLogging({ spec: 'warning:pbft=debug' }).logger('pbft').in('viewChange')
 */
export function createLogging(options: LoggingOptions): Logging {
  const { stream = pino.destination({ fd: 2, sync: true }), clock = systemClock } = options
  const colours = options.stream === undefined && process.stderr.isTTY
  const write = options.format === 'json' ? jsonWriter(stream, clock) : textWriter(stream, clock, colours)
  const thresholds = new Map<string, Threshold>()
  let levels = parseLevels(options.spec)
  const logger = (module: string): Logger => {
    const rank = rankOf(levels.modules.get(module) ?? levels.fallback)
    const threshold = thresholds.get(module) ?? { rank }
    thresholds.set(module, threshold)
    return createLogger(module, module, threshold, write)
  }
  const report = (): void => {
    for (const problem of levels.problems) logger('logging').in('setLevels').warning(`invalid logging level, using info: ${problem}`)
  }
  report()
  return {
    logger,
    setLevels(spec) {
      levels = parseLevels(spec)
      for (const [module, threshold] of thresholds) threshold.rank = rankOf(levels.modules.get(module) ?? levels.fallback)
      report()
    },
  }
}

/** The least severe level that a module writes; shared by its loggers so that it can change. */
interface Threshold {
  rank: number
}

function rankOf(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level)
}

function createLogger(module: string, area: string, threshold: Threshold, write: LogWriter): Logger {
  const at = (level: LogLevel) => {
    const rank = rankOf(level)
    return (message: string, facts?: LogFacts): void => {
      if (rank <= threshold.rank) write(level, module, area, message, facts)
    }
  }
  return Object.freeze<Logger>({
    module,
    critical: at('critical'),
    error: at('error'),
    warning: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: at('debug'),
    isEnabled: (level) => rankOf(level) <= threshold.rank,
    in: (inner) => createLogger(module, inner, threshold, write),
  })
}
