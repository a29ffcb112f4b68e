import { PeerError } from '../errors.js'

const DEEPEST = 32

/**
 * Nested values as dotted keys: `{ peer: { id: 'vp0' } }` is `peer.id`. Values under a key of kind map stay together.
 * Empty sections and `null` (an empty section in YAML) say nothing.
 *
 * @throws PeerError ERR_CONFIG_INVALID for values that are nested too deep, or in a circle
 */
export function flatten(values: object, isMapKey: (key: string) => boolean, file: string): ReadonlyMap<string, unknown> {
  const flat = new Map<string, unknown>()
  const visit = (section: object, prefix: string, depth: number): void => {
    if (depth > DEEPEST) throw new PeerError('ERR_CONFIG_INVALID', `${file}: ${prefix.slice(0, 60)}… is nested more than ${DEEPEST} deep`)
    for (const [name, value] of Object.entries(section)) {
      const key = `${prefix}${name}`
      if (value === undefined || value === null) continue
      if (isSection(value) && !isMapKey(key)) visit(value, `${key}.`, depth + 1)
      else flat.set(key, value)
    }
  }
  visit(values, '', 1)
  return flat
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
