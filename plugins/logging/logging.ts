import { type Clock, LOG_LEVELS, type LogFacts, type LogLevel, type Logger, type Logging, systemClock } from '../../kernel/index.js'
import { type LogStream, type LogWriter, textWriter } from './format.js'
import { parseLevels } from './levels.js'
import { standardError } from './standard-error.js'

export interface LoggingOptions {
  /** Levels, see {@link parseLevels}. */
  readonly spec: string
  /** Default: stderr, written at once, so that nothing is lost in a crash. Colours only if it is a terminal. */
  readonly stream?: LogStream
  readonly clock?: Clock
  /** Writes events; default: one v0.6 line each, to `stream`. */
  readonly writer?: LogWriter
}

/** A {@link Logging} whose levels can be changed. */
export interface LevelledLogging extends Logging {
  /** Changes the levels of all loggers, also of those made before; a bad spec is logged as a warning and means INFO. */
  setLevels(spec: string): void
}

/**
 * Logging of one process.
 *
 * @example
 * const log = createLogging({ spec: 'warning:pbft=debug' }).logger('pbft').in('viewChange')
 */
export function createLogging(options: LoggingOptions): LevelledLogging {
  const { stream = standardError, clock = systemClock } = options
  const write = options.writer ?? textWriter(stream, clock, options.stream === undefined && process.stderr.isTTY)
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
