import type { PluginManifest } from '../../kernel/index.js'
import { type KeyTree, keyTree } from '../terminal/index.js'
import type { ImportedKey } from './core-yaml.js'
import { pluginList } from './template.js'

/** The text of a `peer.config.ts` with imported values, and comments for what Weft does not use. */
export function writeSite(keys: readonly ImportedKey[], sources: readonly string[], plugins: readonly Pick<PluginManifest, 'name'>[]): string {
  const tree = keyTree(keys.flatMap(({ key, value, fate }) => (fate === 'set' ? [[key, value] as const] : [])))
  const left = (fate: ImportedKey['fate'], title: string): string[] => {
    const found = keys.filter((imported) => imported.fate === fate)
    if (found.length === 0) return []
    return ['', `  // ${title}`, ...found.map(({ key, value }) => `  //   ${key}: ${oneLine(value)}`)]
  }
  return [
    `import { defineConfig } from 'weft'`,
    '',
    `/** Imported by \`peer config import\` from ${sources.map(oneLine).join(', ')}: the values that differ from the defaults. */`,
    'export default defineConfig({',
    pluginList(plugins),
    ...render(tree, '  '),
    ...left('unused', 'Settings of v0.6 that Weft, with these plugins, does not use:'),
    ...left('unknown', 'Settings that neither v0.6 nor these plugins know:'),
    '})',
    '',
  ].join('\n')
}

function render(tree: KeyTree, indent: string): string[] {
  return [...tree].flatMap(([name, value]) => {
    const member = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
    return value instanceof Map ? [`${indent}${member}: {`, ...render(value, `${indent}  `), `${indent}},`] : [`${indent}${member}: ${value},`]
  })
}

/** Safe in a comment of either kind, and short. */
function oneLine(value: unknown): string {
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/\s+/g, ' ').replaceAll('*/', '* /')
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
