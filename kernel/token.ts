/** How plugins find each other: one offers a value under a token, others take it. The type parameter is the contract; the strings are for errors. */
export interface Token<T> {
  readonly name: string
  /** Module of the plugin that usually provides it; named in errors as "the plugin to add". */
  readonly providedBy: string
  /** Carries the type only; never set. */
  readonly contract?: T
}

/**
 * Makes a token. Export it from the `index.ts` of the plugin that provides the service.
 *
 * @example
 * export const LOOM = createToken<Loom>('loom', './plugins/loom.ts')
 */
export function createToken<T>(name: string, providedBy: string): Token<T> {
  return Object.freeze({ name, providedBy })
}
