import * as z from 'zod'
import type { DeclaredKey } from '../../kernel/index.js'

/** A JSON Schema as plain data. */
export interface Schema {
  [name: string]: unknown
  properties?: Record<string, Schema>
}

/**
 * The JSON Schema (draft 2020-12) of a configuration file: the nested form of the keys, with descriptions and defaults.
 * It describes what may be written, not what a plugin reads after conversion.
 */
export function jsonSchema(keys: Iterable<DeclaredKey>): Schema {
  const root = section('Configuration of a Weft site')
  root['$schema'] = 'https://json-schema.org/draft/2020-12/schema'
  Object.assign((root.properties ??= {}), {
    $schema: { type: 'string' },
    extends: { type: 'string', description: 'path or module name of a site whose plugins and values come first' },
    plugins: { type: 'array', items: { type: 'string' }, description: 'module names such as weft/plugins/level, packages, or paths relative to this file' },
  })
  for (const { key, spec } of keys) {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(spec.schema, { io: 'input', unrepresentable: 'any' })
    const names = key.split('.')
    const last = names.pop() ?? key
    let parent = root
    for (const name of names) parent = (parent.properties ??= {})[name] ??= section(undefined)
    const members: Record<string, unknown> = { ...schema, description: spec.description }
    if (spec.fallback !== undefined) members['default'] = spec.fallback
    const { properties: _inner, ...leaf } = members
    ;(parent.properties ??= {})[last] = leaf
  }
  return root
}

function section(title: string | undefined): Schema {
  return { ...(title === undefined ? {} : { title }), type: 'object', properties: {}, additionalProperties: false }
}
