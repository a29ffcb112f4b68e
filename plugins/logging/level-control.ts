import { LOG_LEVELS, type LogLevel, type Logger, PeerError, nearest } from '../../kernel/index.js'
import { type LogLevels, parseLevels } from './levels.js'

/** The level of one component, and whether it is its own or that of all others. */
export interface ComponentLevel {
  readonly component: string
  readonly level: LogLevel
  readonly isOwn: boolean
}

/** The log levels of a process: read and changed while it runs. */
export interface LevelControl {
  /** The level of components without one of their own. */
  readonly fallback: LogLevel
  /** Every component that has a logger, by name. */
  components(): ComponentLevel[]
  /**
   * Changes levels as a spec says (spec/node.md §2.4). A spec with a level that stands alone replaces all levels, as at the start;
   * any other changes only the components that it names. Throws ERR_LOGGING_LEVEL or ERR_LOGGING_COMPONENT, changing nothing.
   */
  change(spec: string): void
  /** Back to the levels of the configuration: of these components, or of everything. Throws ERR_LOGGING_COMPONENT. */
  reset(components: readonly string[]): void
  /** Throws ERR_LOGGING_COMPONENT for a name that no logger has. */
  check(components: readonly string[]): void
}

/** The least severe level that a module writes; shared by its loggers so that it can change. */
export interface Threshold {
  rank: number
}

export function rankOf(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level)
}

const MAX_SPEC_CHARACTERS = 4096
const INVALID_ARGUMENT = 3

/** Levels by component and the thresholds that follow them. */
export class Levels implements LevelControl {
  readonly #thresholds = new Map<string, Threshold>()
  #configured: LogLevels
  #current: LogLevels

  constructor(spec: string) {
    this.#configured = parseLevels(spec)
    this.#current = this.#configured
  }

  get fallback(): LogLevel {
    return this.#current.fallback
  }

  /** What was wrong in the configured spec. */
  get problems(): readonly string[] {
    return this.#configured.problems
  }

  threshold(component: string): Threshold {
    const known = this.#thresholds.get(component)
    if (known !== undefined) return known
    const threshold = { rank: rankOf(this.#levelOf(component)) }
    this.#thresholds.set(component, threshold)
    return threshold
  }

  /** What the configuration says; a bad spec means INFO and entries in `problems`. */
  configure(spec: string): void {
    this.#configured = parseLevels(spec)
    this.#apply(this.#configured)
  }

  components(): ComponentLevel[] {
    return [...this.#thresholds.keys()].sort().map((component) => ({ component, level: this.#levelOf(component), isOwn: this.#current.modules.has(component) }))
  }

  change(spec: string): void {
    const wanted = parseLevels(spec.slice(0, MAX_SPEC_CHARACTERS))
    const [problem] = spec.length > MAX_SPEC_CHARACTERS ? [`expected at most ${MAX_SPEC_CHARACTERS} characters, found ${spec.length}`] : wanted.problems
    if (problem !== undefined) {
      throw new PeerError('ERR_LOGGING_LEVEL', `invalid logging level: ${problem}`, {
        grpcStatus: INVALID_ARGUMENT,
        hint: 'write <component>=<level>, <level>, or several of them with colons between, such as warning:ledger,pbft=debug',
      })
    }
    this.check([...wanted.modules.keys()])
    const isWhole = spec.split(':').some((field) => !field.includes('='))
    if (isWhole) this.#apply(wanted)
    else this.#apply({ ...this.#current, modules: new Map([...this.#current.modules, ...wanted.modules]) })
  }

  reset(components: readonly string[]): void {
    if (components.length === 0) return this.#apply(this.#configured)
    this.check(components)
    const modules = new Map(this.#current.modules)
    for (const component of components) {
      const configured = this.#configured.modules.get(component)
      if (configured === undefined) modules.delete(component)
      else modules.set(component, configured)
    }
    this.#apply({ ...this.#current, modules })
  }

  check(components: readonly string[]): void {
    const known = [...this.#thresholds.keys()].sort()
    const unknown = components.find((component) => !this.#thresholds.has(component))
    if (unknown === undefined) return
    const near = nearest(unknown, known)
    const did = near === undefined ? '' : `, did you mean ${near}?`
    throw new PeerError('ERR_LOGGING_COMPONENT', `no component is named '${unknown.slice(0, 100)}'${did}; there are: ${known.join(', ')}`, {
      grpcStatus: INVALID_ARGUMENT,
      hint: 'the component is the word in brackets of a log line',
    })
  }

  #levelOf(component: string): LogLevel {
    return this.#current.modules.get(component) ?? this.#current.fallback
  }

  #apply(levels: LogLevels): void {
    this.#current = levels
    for (const [component, threshold] of this.#thresholds) threshold.rank = rankOf(this.#levelOf(component))
  }
}

/** How a logger of this plugin leads to what controls it: logging is made before its plugin, like any other, has services. */
export const CONTROL = Symbol('logging control')

/** What controls the logging of a process. */
export interface LoggingControl {
  readonly levels: LevelControl
  /** Opens the log file anew after it was moved away; false if that failed, or there is none. */
  reopen(): boolean
}

export interface ControlledLogger extends Logger {
  readonly [CONTROL]: LoggingControl
}

/** What controls the logging that a logger belongs to; undefined if another plugin, or an embedding program, made it. */
export function controlOf(logger: Logger): LoggingControl | undefined {
  return isControlled(logger) ? logger[CONTROL] : undefined
}

function isControlled(logger: Logger): logger is ControlledLogger {
  return CONTROL in logger
}
