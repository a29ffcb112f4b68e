import type { Engine } from './engine.js'

/** Whether a handler returned a promise, which none may. Its rejection is nobody's then: unheard, it would end the process. */
export function isPromise(value: unknown): boolean {
  if (!(value instanceof Promise)) return false
  value.catch(() => undefined)
  return true
}

/** What `create` returned, if it is an engine. Throws TypeError for what never could handle anything, such as a promise of one. */
export function createdEngine(created: Engine): Engine {
  const value: unknown = created
  if (isPromise(value)) throw new TypeError('create() returned a promise: engines are made synchronously')
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`create() returns an object of handlers; it returned ${value === null ? 'null' : typeof value}`)
  return created
}
