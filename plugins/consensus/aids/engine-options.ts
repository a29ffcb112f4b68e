import { PeerError } from '../../../kernel/index.js'

/** One option of an engine: its default, and what else it may be. */
export interface EngineOption<T> {
  readonly default: T
  /** As errors say it: `a whole number from 1 to 100`. */
  readonly expected: string
  accepts(value: unknown): value is T
}

/** Options by name, as the engine gets them. */
export type EngineOptions<K extends Readonly<Record<string, EngineOption<unknown>>>> = {
  readonly [N in keyof K]: K[N] extends EngineOption<infer T> ? T : never
}

/** Longer times than this run out at once in Node. */
const MAX = 2 ** 31 - 1

/** A whole number, of milliseconds perhaps, from `min` (1) to `max` (2^31 - 1). */
export function integerOption(value: number, min = 1, max = MAX): EngineOption<number> {
  if (![value, min, max].every(Number.isInteger))
    throw new TypeError(`expected integerOption(value, min, max) with whole numbers; found (${[value, min, max].map(describe).join(', ')})`)
  const accepts = (given: unknown): given is number => typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max
  return { default: value, expected: `a whole number from ${min} to ${max}`, accepts }
}

/** One of some words. */
export function wordOption<W extends string>(value: NoInfer<W>, words: readonly W[]): EngineOption<W> {
  return { default: value, expected: words.join(' or '), accepts: (given): given is W => words.some((word) => word === given) }
}

/**
 * Makes an engine's `parseOptions`: it reads what a person wrote, all options optional, and throws ERR_<ENGINE>_OPTIONS, which names everything that is wrong at once.
 * `check` says what is wrong with values that are right one by one.
 *
 * @example
 * const parseOptions = engineOptions('my-engine', { batchSize: integerOption(500), timeoutMs: integerOption(2000, 50) })
 * type Options = ReturnType<typeof parseOptions>
 */
export function engineOptions<K extends Readonly<Record<string, EngineOption<unknown>>>>(
  engine: string,
  options: K,
  check?: (options: EngineOptions<K>) => string | undefined,
): (raw?: unknown) => EngineOptions<K>
export function engineOptions(
  engine: string,
  options: Readonly<Record<string, EngineOption<unknown>>>,
  check: (options: Readonly<Record<string, unknown>>) => string | undefined = () => undefined,
): (raw?: unknown) => Readonly<Record<string, unknown>> {
  const names = Object.keys(options)
  const defaults = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]))
  const faultOf = (name: string, value: unknown): string[] => {
    const option = names.includes(name) ? options[name] : undefined
    if (!option) return [`${name}: unknown; there ${names.length > 0 ? `are ${names.join(', ')}` : 'is no option'}`]
    return option.accepts(value) ? [] : [`${name}: expected ${option.expected}, found ${describe(value)}`]
  }
  return (raw = {}) => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw wrong(engine, [`expected an object, found ${describe(raw)}`])
    const faults = Object.entries(raw).flatMap(([name, value]) => faultOf(name, value))
    const read = { ...defaults, ...raw }
    const together = faults.length === 0 ? check(read) : undefined
    if (together !== undefined) faults.push(together)
    if (faults.length > 0) throw wrong(engine, faults)
    return read
  }
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value)
}

function wrong(engine: string, faults: readonly string[]): PeerError {
  const code = `ERR_${engine.toUpperCase().replaceAll('-', '_')}_OPTIONS` as const
  return new PeerError(code, `the options of ${engine} are wrong: ${faults.join('; ')}`, { details: { faults } })
}
