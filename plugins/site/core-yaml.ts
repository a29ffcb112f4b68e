import { isDeepStrictEqual } from 'node:util'
import { type DeclaredKey, peerKeys } from '../../kernel/index.js'

/** One key of a v0.6 file, and what becomes of it. */
export interface ImportedKey {
  /** As this site's plugins call it; as in the file if none knows it. */
  readonly key: string
  readonly value: unknown
  readonly fate: 'set' | 'default' | 'unused' | 'unknown'
}

/** A parsed v0.6 file: `core.yaml` has no prefix, the engines' `config.yaml` have `pbft` and `noops`. */
export interface OldFile {
  readonly prefix: string
  readonly content: unknown
}

/**
 * Sorts the keys of v0.6 files: those that differ from Weft's defaults, those that do not, and those that this site does not use.
 * v0.6 reads the first word of a key in any case (spec/node.md §2.2).
 */
export function importKeys(files: readonly OldFile[], declared: ReadonlyMap<string, DeclaredKey>, unused: ReadonlySet<string>): readonly ImportedKey[] {
  const imported: ImportedKey[] = []
  for (const { prefix, content } of files) {
    for (const [written, value] of leaves(content, prefix, declared)) {
      const key = canonical(written, declared)
      const spec = declared.get(key)?.spec
      if (spec === undefined) imported.push({ key, value, fate: isUnused(key, unused) ? 'unused' : 'unknown' })
      else imported.push({ key, value, fate: isSame(spec, value) ? 'default' : 'set' })
    }
  }
  return imported
}

/** The addresses are always written, also where they are v0.6's, `0.0.0.0:7051`: a file must show where a peer can be reached. */
export function withAddresses(keys: readonly ImportedKey[]): readonly ImportedKey[] {
  const addresses = (['peer.listenAddress', 'peer.address'] as const).map((key): ImportedKey => {
    const value = keys.findLast((imported) => imported.key === key)?.value ?? peerKeys[key].fallback
    return { key, value, fate: 'set' }
  })
  return [...keys.filter(({ key }) => !addresses.some((address) => address.key === key)), ...addresses]
}

/** True if a value reads as the default does. What cannot be read is kept, so that `config check` names it. */
function isSame(spec: DeclaredKey['spec'], value: unknown): boolean {
  const read = spec.schema.safeParse(value)
  const usual = spec.schema.safeParse(spec.fallback)
  return read.success && usual.success && isDeepStrictEqual(read.data, usual.data)
}

function isUnused(key: string, unused: ReadonlySet<string>): boolean {
  return [...unused].some((name) => key === name || key.startsWith(`${name}.`))
}

/** The key as declared, if it differs only in the case of its first word. */
function canonical(written: string, declared: ReadonlyMap<string, DeclaredKey>): string {
  if (declared.has(written)) return written
  const [first = '', ...rest] = written.split('.')
  return [first.toLowerCase(), ...rest].join('.')
}

function* leaves(content: unknown, prefix: string, declared: ReadonlyMap<string, DeclaredKey>): Generator<[string, unknown]> {
  if (typeof content !== 'object' || content === null || Array.isArray(content) || declared.get(prefix)?.isMap === true) {
    if (content !== undefined && content !== null && content !== '') yield [prefix, content]
    return
  }
  for (const [name, value] of Object.entries(content)) yield* leaves(value, prefix === '' ? name : `${prefix}.${name}`, declared)
}
