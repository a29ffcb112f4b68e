import { type Clock, type LogFacts, type LogLevel, type Logger, type Logging, systemClock } from '../../kernel/index.js'
import { type LogStream, type LogWriter, textWriter } from './format.js'
import { CONTROL, type ControlledLogger, type LevelControl, Levels, type LoggingControl, type Threshold, rankOf } from './level-control.js'
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
  /** The levels as the configuration has them, of all loggers, also of those made before; a bad spec is logged as a warning and means INFO. */
  setLevels(spec: string): void
  /** Reads and changes the levels of the moment. */
  readonly levels: LevelControl
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
  const levels = new Levels(options.spec)
  const control: LoggingControl = { levels, reopen: () => stream.reopen?.() ?? false }
  const logger = (module: string): Logger => createLogger(module, module, levels.threshold(module), write, control)
  const report = (): void => {
    for (const problem of levels.problems) logger('logging').in('setLevels').warning(`invalid logging level, using info: ${problem}`)
  }
  report()
  return {
    logger,
    levels,
    setLevels(spec) {
      levels.configure(spec)
      report()
    },
  }
}

function createLogger(module: string, area: string, threshold: Threshold, write: LogWriter, control: LoggingControl): Logger {
  const at = (level: LogLevel) => {
    const rank = rankOf(level)
    return (message: string, facts?: LogFacts): void => {
      if (rank <= threshold.rank) write(level, module, area, message, facts)
    }
  }
  return Object.freeze<ControlledLogger>({
    module,
    critical: at('critical'),
    error: at('error'),
    warning: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: at('debug'),
    isEnabled: (level) => rankOf(level) <= threshold.rank,
    in: (inner) => createLogger(module, inner, threshold, write, control),
    [CONTROL]: control,
  })
}
