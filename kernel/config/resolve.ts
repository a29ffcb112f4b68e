import { PeerError } from '../errors.js'
import { type DeclaredKey, declaredKeys } from './declared.js'
import { expectation, shown } from './explain.js'
import type { KeySpecs, Settings } from './keys.js'
import { didYouMean } from './nearest.js'
import { type Layer, type SiteConfig, placeOf } from './site.js'

/** One key with its validated value and where that came from, for `peer config show`. */
export interface ResolvedEntry {
  readonly key: string
  readonly value: unknown
  readonly layer: Layer
  /** File, environment variable, `--set`, plugin; for defaults the plugin that declares the key. */
  readonly origin: string
  readonly description: string
}

/** The validated values of a site. */
export interface ResolvedSettings {
  /** The values of some keys. Throws ERR_CONFIG_UNDECLARED for keys that no plugin of the site declares. */
  settings<K extends KeySpecs>(keys: K): Settings<K>
  /** Every key of the site, in the order of declaration. */
  entries(): readonly ResolvedEntry[]
}

/**
 * Validates all values of a site against the keys of the kernel and of its plugins.
 * Throws ERR_CONFIG_INVALID, whose message has one line for every error: key, where, expected, found.
 */
export function resolveSettings(site: SiteConfig): ResolvedSettings {
  const declared = declaredKeys(site.plugins)
  const problems: string[] = []
  const entries = new Map<string, ResolvedEntry>()
  for (const { key, spec, plugin } of declared.values()) {
    const raw = site.values.get(key)
    const parsed = spec.schema.safeParse(raw === undefined ? spec.fallback : raw.value)
    if (parsed.success) {
      entries.set(key, { key, value: parsed.data, layer: raw?.layer ?? 'default', origin: raw?.origin ?? plugin, description: spec.description })
      continue
    }
    const place = raw === undefined ? `default of plugin ${plugin}` : placeOf(raw)
    for (const issue of parsed.error.issues) problems.push(`${key} (${place}): ${expectation(issue)}, found ${shown(key, raw?.value)}`)
  }
  for (const [key, value] of site.values) {
    if (declared.has(key) || isUnused(key, site)) continue
    problems.push(`${key} (${placeOf(value)}): unknown key${didYouMean(key, declared.keys())}`)
  }
  if (problems.length === 0)
    return Object.freeze({ settings: <K extends KeySpecs>(keys: K) => pick(keys, entries, declared), entries: () => [...entries.values()] })
  const lines = problems.map((line) => `  ${line}`).join('\n')
  throw new PeerError('ERR_CONFIG_INVALID', `${problems.length} error${problems.length === 1 ? '' : 's'} in the configuration of ${site.file}\n${lines}`, {
    details: { file: site.file, problems },
  })
}

/** True if `key` is one of the plugins' `unusedKeys`, or lies below one. */
function isUnused(key: string, { plugins }: SiteConfig): boolean {
  return plugins.some(({ unusedKeys = [] }) => unusedKeys.some((unused) => key === unused || key.startsWith(`${unused}.`)))
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
  if (!holds(picked, keys)) throw new PeerError('ERR_CONFIG_UNDECLARED', 'settings do not match their keys')
  return Object.freeze(picked)
}

/** True if every key has a member: its value came out of that key's own schema, which makes the type true. */
function holds<K extends KeySpecs>(picked: Readonly<Record<string, unknown>>, keys: K): picked is Settings<K> {
  return Object.keys(keys).every((key) => key in picked)
}
