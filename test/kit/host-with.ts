import type { EngineHost } from '../../plugins/consensus/index.js'

/**
 * A host that behaves as another one but for `changes`. Its head and its time are those of the other at any moment; the rest is its own, so that who wraps it again
 * may spread it, with getters for these two.
 */
export function hostWith(host: EngineHost, changes: Partial<EngineHost>): EngineHost {
  const wrapped: EngineHost = Object.create(host, { ...Object.getOwnPropertyDescriptors(host), ...Object.getOwnPropertyDescriptors(changes) })
  return Object.freeze(wrapped)
}
