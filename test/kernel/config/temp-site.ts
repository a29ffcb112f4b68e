import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory with the given files, removed after the test. It stops the search for a site, like the top of a repository. */
export function tempSite(files: Readonly<Record<string, string>>): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'weft-site-')))
  mkdirSync(join(directory, '.git'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** The source of a plugin with a few keys. */
export const LOOM_PLUGIN = `
import { defineKeys, definePlugin, duration, flag, integer, key, list, map, text } from 'weft'
export const loomKeys = defineKeys({
  'loom.threads': key(integer({ min: 1, max: 64 }), 4, 'threads of the loom'),
  'loom.pause': key(duration(), '5s', 'pause between rows'),
  'loom.colours': key(list(), [], 'colours'),
  'loom.running': key(flag(), false, 'whether it runs'),
  'loom.patterns': key(map(), {}, 'patterns by name'),
  'loom.name': key(text(), 'jenny', 'name of the loom'),
})
export default definePlugin({ name: 'loom', config: loomKeys, unusedKeys: ['loom.steam', 'mill'], apply() {} })
`
