import { LOG_LEVELS, type LogLevel } from '../../kernel/index.js'

/** What a level spec says: one level for all modules, and others for some. */
export interface LogLevels {
  readonly fallback: LogLevel
  readonly modules: ReadonlyMap<string, LogLevel>
  /** What was wrong in the spec; not empty: everything is at INFO (spec/node.md §2.4). */
  readonly problems: readonly string[]
}

/**
 * Reads `[<module>[,<module>...]=]<level>[:[<module>...=]<level>...]`, levels in any case (spec/node.md §2.4).
 * Never throws: a bad level means INFO for everything and an entry in `problems`.
 *
 * @example
 * parseLevels('warning:pbft,consensus=debug')
 */
export function parseLevels(spec: string): LogLevels {
  const modules = new Map<string, LogLevel>()
  const problems: string[] = []
  let fallback: LogLevel = 'info'
  for (const field of spec.split(':')) {
    const equals = field.indexOf('=')
    const word = field.slice(equals + 1).trim()
    const level = LOG_LEVELS.find((name) => name === word.toLowerCase())
    const names = field
      .slice(0, Math.max(equals, 0))
      .split(',')
      .map((name) => name.trim())
    if (level === undefined) problems.push(`expected a level (${LOG_LEVELS.join(', ')}), found '${word}'`)
    else if (equals < 0) fallback = level
    else if (names.includes('')) problems.push(`expected module names before '=', found '${field}'`)
    else for (const name of names) modules.set(name, level)
  }
  return problems.length === 0 ? { fallback, modules, problems } : { fallback: 'info', modules: new Map(), problems }
}
