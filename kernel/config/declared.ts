import { PeerError } from '../errors.js'
import type { PluginManifest } from '../manifest.js'
import type { KeySpec } from './keys.js'
import { peerKeys } from './peer-keys.js'

/** A key with the plugin that declares it first (`kernel` for the kernel's own). */
export interface DeclaredKey {
  readonly key: string
  readonly spec: KeySpec<unknown>
  readonly plugin: string
  /** Its value is a map: names below the key belong to the value, not to other keys. */
  readonly isMap: boolean
}

/** Every key that the kernel and the plugins of a site declare. Throws ERR_CONFIG_KEY_CONFLICT, naming both, if two declare one with different specs. */
export function declaredKeys(plugins: readonly PluginManifest[]): ReadonlyMap<string, DeclaredKey> {
  const declared = new Map<string, DeclaredKey>()
  for (const { name: plugin, config = {} } of [{ name: 'kernel', config: peerKeys }, ...plugins]) {
    for (const [key, spec] of Object.entries(config)) {
      const first = declared.get(key)
      if (first === undefined) declared.set(key, { key, spec, plugin, isMap: isMap(spec) })
      else if (first.spec !== spec) {
        throw new PeerError('ERR_CONFIG_KEY_CONFLICT', `key ${key} is declared by ${first.plugin} and, differently, by ${plugin}`, {
          hint: 'export the key from one of the two plugins and use that same object in the other',
          details: { key, plugins: [first.plugin, plugin] },
        })
      }
    }
  }
  return declared
}

/** True if values of the key are written as a section: an empty one would do, or the default is one. */
function isMap({ schema, fallback }: KeySpec<unknown>): boolean {
  return (typeof fallback === 'object' && fallback !== null && !Array.isArray(fallback)) || schema.safeParse({}).success
}
