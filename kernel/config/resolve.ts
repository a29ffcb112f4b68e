import { PeerError } from '../errors.js'
import { type DeclaredKey, declaredKeys, isUnused } from './declared.js'
import { variableOf } from './environment.js'
import { expectation, shown } from './explain.js'
import type { KeySpecs, Settings } from './keys.js'
import { nearest } from './nearest.js'
import type { Layer, LayeredValue, SiteConfig } from './site.js'

/** One key with its validated value and where that came from, for `peer config show`. */
export interface ResolvedEntry {
  readonly key: string
  readonly value: unknown
  readonly layer: Layer
  /** File, environment variable, `--set`, plugin; for defaults the plugin that declares the key. */
  readonly origin: string
  readonly description: string
}

/** Something about the configuration that does not stop the peer but should be logged. */
export interface ConfigNote {
  readonly level: 'notice' | 'warning'
  readonly message: string
}

/** The validated values of a site. */
export interface ResolvedSettings {
  /** The values of some keys. Throws ERR_CONFIG_UNDECLARED for keys that no plugin of the site declares. */
  settings<K extends KeySpecs>(keys: K): Settings<K>
  /** Every key of the site, in the order of declaration. */
  entries(): readonly ResolvedEntry[]
  readonly notes: readonly ConfigNote[]
}

/**
 * Validates all values of a site against the keys of the kernel and of its plugins.
 *
 * @throws PeerError ERR_CONFIG_INVALID, whose message has one line for every error: key, where, expected, found
 */
export function resolveSettings(site: SiteConfig): ResolvedSettings {
  const declared = declaredKeys(site.plugins)
  const problems: string[] = []
  const entries = new Map<string, ResolvedEntry>()
  for (const found of declared.values()) {
    const raw = site.values.get(found.key)
    const parsed = found.spec.schema.safeParse(raw === undefined ? found.spec.fallback : raw.value)
    if (!parsed.success) {
      const place = raw === undefined ? `default of plugin ${found.plugin}` : placeOf(raw)
      for (const issue of parsed.error.issues) problems.push(`${found.key} (${place}): ${expectation(issue)}, found ${shown(found.key, raw?.value)}`)
      continue
    }
    entries.set(found.key, {
      key: found.key,
      value: parsed.data,
      layer: raw?.layer ?? 'default',
      origin: raw?.origin ?? found.plugin,
      description: found.spec.description,
    })
  }
  const unused: string[] = []
  for (const [key, value] of site.values) {
    if (declared.has(key)) continue
    if (isUnused(key, site.plugins)) unused.push(`${key} (${placeOf(value)})`)
    else problems.push(unknownKey(key, value, declared))
  }
  if (problems.length > 0) throw invalid(site, problems)
  return Object.freeze({
    settings: <K extends KeySpecs>(keys: K) => pick(keys, entries, declared),
    entries: () => [...entries.values()],
    notes: notesOf(site, unused, declared),
  })
}

/** How an origin reads in an error message: `environment CORE_PEER_ID`, `file /site/peer.config.ts`. */
function placeOf(value: LayeredValue): string {
  return `${value.layer === 'base' ? 'base file' : value.layer} ${value.origin}`
}

function unknownKey(key: string, value: LayeredValue, declared: ReadonlyMap<string, DeclaredKey>): string {
  const near = nearest(key, declared.keys())
  return `${key} (${placeOf(value)}): unknown key${near === undefined ? '' : `, did you mean ${near}?`}`
}

function invalid(site: SiteConfig, problems: readonly string[]): PeerError {
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`
  return new PeerError('ERR_CONFIG_INVALID', `${count} in the configuration of ${site.file}\n${problems.map((line) => `  ${line}`).join('\n')}`, {
    details: { file: site.file, problems },
  })
}

function pick<K extends KeySpecs>(keys: K, entries: ReadonlyMap<string, ResolvedEntry>, declared: ReadonlyMap<string, DeclaredKey>): Settings<K> {
  const picked: Record<string, unknown> = {}
  for (const [key, spec] of Object.entries(keys)) {
    if (declared.get(key)?.spec !== spec) {
      throw new PeerError('ERR_CONFIG_UNDECLARED', `key ${key} is read but no plugin of the site declares it`, {
        hint: 'list the key in the `config` of the plugin that reads it',
        details: { key },
      })
    }
    picked[key] = entries.get(key)?.value
  }
  const settings: unknown = Object.freeze(picked)
  if (!holds(keys, settings, entries)) throw new PeerError('ERR_CONFIG_UNDECLARED', 'settings do not match their keys')
  return settings
}

/** True if every value is the one that came out of its key's own schema: what makes the type of `settings` true. */
function holds<K extends KeySpecs>(keys: K, settings: unknown, entries: ReadonlyMap<string, ResolvedEntry>): settings is Settings<K> {
  const values = new Map(Object.entries(settings ?? {}))
  return Object.keys(keys).every((key) => values.get(key) === entries.get(key)?.value)
}

function notesOf(site: SiteConfig, unusedInFiles: readonly string[], declared: ReadonlyMap<string, DeclaredKey>): readonly ConfigNote[] {
  const notes: ConfigNote[] = []
  const unused = [...unusedInFiles]
  const unusedVariables = new Set(site.plugins.flatMap((plugin) => (plugin.unusedKeys ?? []).map(variableOf)))
  const variables = new Map([...declared.keys()].map((key) => [variableOf(key), key]))
  for (const name of site.unmatchedVariables) {
    if (unusedVariables.has(name)) unused.push(name)
    else notes.push({ level: 'warning', message: unknownVariable(name, variables, declared) })
  }
  if (unused.length > 0) notes.unshift({ level: 'notice', message: `settings of v0.6 that Weft does not use are ignored: ${unused.join(', ')}` })
  return notes
}

function unknownVariable(name: string, variables: ReadonlyMap<string, string>, declared: ReadonlyMap<string, DeclaredKey>): string {
  const known = [...variables.keys()]
  if (known.some((variable) => variable.startsWith(`${name}_`)))
    return `${name} names a whole section and is ignored: set single keys, such as ${known.find((variable) => variable.startsWith(`${name}_`))}`
  const parent = known.find((variable) => name.startsWith(`${variable}_`))
  if (parent !== undefined && declared.get(variables.get(parent) ?? '')?.isMap === true) {
    return `${name} is ignored: entries of ${variables.get(parent)} cannot be set from the environment, use a file or --set`
  }
  const near = nearest(name, known)
  return `${name} is ignored: no plugin of this site knows it${near === undefined ? '' : `, did you mean ${near}?`}`
}
