import type { ResolvedSettings } from './config/resolve.js'

/** Levels of v0.6, most severe first (spec/node.md §2.4). */
export const LOG_LEVELS = ['critical', 'error', 'warning', 'notice', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Facts of an event, beside its message. */
export type LogFacts = Readonly<Record<string, unknown>>

/** A logger of one module. A disabled level costs one comparison; build expensive facts only under `isEnabled`. */
export interface Logger extends Readonly<Record<LogLevel, (message: string, facts?: LogFacts) => void>> {
  readonly module: string
  isEnabled(level: LogLevel): boolean
  /** The same module's logger for one function or area: the second word of a v0.6 log line. */
  in(area: string): Logger
}

/** Makes the loggers of one peer; a plugin brings it (`Plugin.logging`). */
export interface Logging {
  logger(module: string): Logger
  /** Called with the settings whenever they are resolved, also for loggers made before. */
  configured?(settings: ResolvedSettings): void
}

/** Logging of a peer without a plugin for it: bare lines on stderr, INFO and more severe. */
export const plainLogging: Logging = Object.freeze<Logging>({ logger: (module) => plainLogger(module, module) })

function plainLogger(module: string, area: string): Logger {
  // As JSON, so that text from outside can neither start a line of its own nor steer a terminal.
  const at = (level: LogLevel) => (message: string) => void process.stderr.write(`[${module}] ${area} ${level}: ${JSON.stringify(message)}\n`)
  return Object.freeze<Logger>({
    module,
    critical: at('critical'),
    error: at('error'),
    warning: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: () => undefined,
    isEnabled: (level) => level !== 'debug',
    in: (inner) => plainLogger(module, inner),
  })
}
