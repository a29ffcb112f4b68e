import { type SiteConfig, declaredKeys, nearest, placeOf, variableOf } from '../../kernel/index.js'

/** Something about a configuration that should be said. */
export interface ConfigNote {
  /** `error`: a peer would not start with it. */
  readonly level: 'notice' | 'warning' | 'error'
  readonly message: string
}

type SiteNote = ConfigNote & { readonly level: 'notice' | 'warning' }

/**
 * What a site says that nobody hears: one notice for all settings of v0.6 that no plugin reads, and a warning for every
 * other `CORE_*` variable, with the nearest name (spec/node.md §2.3).
 */
export function configNotes(site: SiteConfig): readonly SiteNote[] {
  const declared = declaredKeys(site.plugins)
  // What is neither declared nor unused is an error, so what is not declared here is unused.
  const unused = [...site.values].flatMap(([key, value]) => (declared.has(key) ? [] : [`${key} (${placeOf(value)})`]))
  const unusedVariables = new Set(site.plugins.flatMap(({ unusedKeys = [] }) => unusedKeys.map(variableOf)))
  const variables = new Map([...declared.values()].map((found) => [variableOf(found.key), found]))
  const warnings = site.unmatchedVariables.filter((name) => !unusedVariables.has(name))
  unused.push(...site.unmatchedVariables.filter((name) => unusedVariables.has(name)))
  const notice: SiteNote = { level: 'notice', message: `settings of v0.6 that Weft does not use are ignored: ${unused.join(', ')}` }
  return [...(unused.length > 0 ? [notice] : []), ...warnings.map((name): SiteNote => ({ level: 'warning', message: unknownVariable(name, variables) }))]
}

function unknownVariable(name: string, variables: ReadonlyMap<string, { readonly key: string; readonly isMap: boolean }>): string {
  const declared = variables.get(name)
  if (declared !== undefined) return `${name} is ignored, as v0.6 ignores it: set ${declared.key} in a file, or with --set`
  const known = [...variables.keys()]
  const inSection = known.find((variable) => variable.startsWith(`${name}_`))
  if (inSection !== undefined) return `${name} names a whole section and is ignored: set single keys, such as ${inSection}`
  const [, parent] = [...variables].find(([variable]) => name.startsWith(`${variable}_`)) ?? []
  if (parent?.isMap === true) return `${name} is ignored: entries of ${parent.key} cannot be set from the environment, use a file or --set`
  const near = nearest(name, known)
  return `${name} is ignored: no plugin of this site knows it${near === undefined ? '' : `, did you mean ${near}?`}`
}
