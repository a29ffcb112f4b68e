import type { z } from 'zod'

/** One configuration key: how its value is checked, its default, and what it is for. */
export interface KeySpec<T> {
  /** Checks and converts a value from a file, the environment (a string) or `--set` (a string). Its output is what plugins read. */
  readonly schema: z.ZodType<T>
  /** As a person would write it in a file (`'5s'`, `true`, `100`); goes through `schema` too. `undefined`: optional key. */
  readonly fallback: unknown
  /** One sentence for `peer config show`, the JSON Schema and the reference page; units included. */
  readonly description: string
  /** False: its environment variable does nothing, as for v0.6's map keys (spec/node.md §2.2). */
  readonly fromEnvironment?: boolean
}

/** Keys by their full v0.6-style dotted name, such as `peer.listenAddress`. */
export type KeySpecs = Readonly<Record<string, KeySpec<unknown>>>

/** The validated values of a set of keys. */
export type Settings<K extends KeySpecs> = { readonly [Name in keyof K]: K[Name] extends KeySpec<infer T> ? T : never }

/** Describes one key. See `kinds.ts` for the ready-made schemas (text, integer, flag, duration, address, choice, list, map). */
export function key<T>(schema: z.ZodType<T>, fallback: unknown, description: string, options: { readonly fromEnvironment?: boolean } = {}): KeySpec<T> {
  return Object.freeze({ schema, fallback, description, ...options })
}

/**
 * A plugin's keys. Two plugins may declare the same key only with the same spec object (share it by exporting it).
 *
 * @example
 * export const loomKeys = defineKeys({
 *   'loom.threads': key(integer({ min: 1 }), 4, 'threads of the loom'),
 * })
 */
export function defineKeys<const K extends KeySpecs>(keys: K): K {
  return Object.freeze(keys)
}
