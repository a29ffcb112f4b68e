import type { EngineFactory } from '../consensus/index.js'

/** The factory in what an engine's package exports as default: that of `defineEngine`, or the factory itself. Throws a TypeError if it is neither. */
export function engineFactory(exported: unknown): EngineFactory {
  const candidate: unknown = typeof exported === 'object' && exported !== null && 'engine' in exported ? exported.engine : exported
  if (isFactory(candidate)) return candidate
  throw new TypeError('expected the default export of the package to be defineEngine(…) from weft/consensus')
}

function isFactory(value: unknown): value is EngineFactory {
  if (typeof value !== 'object' || value === null) return false
  const isCallable = (name: string): boolean => typeof Reflect.get(value, name) === 'function'
  return typeof Reflect.get(value, 'name') === 'string' && ['tolerates', 'parseOptions', 'create'].every(isCallable)
}
