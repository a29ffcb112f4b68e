import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layerSite } from '../../../kernel/config/layers.js'
import { loadFiles, loadPackagedSite } from '../../../kernel/config/load.js'
import { PACKAGED } from '../sites.js'
import { LOOM_PLUGIN, tempSite } from './temp-site.js'

const site = async (cwd: string, { file, env = {}, set = [] }: { file?: string; env?: NodeJS.ProcessEnv; set?: string[] } = {}) =>
  layerSite(await loadFiles(cwd, file, await loadPackagedSite(PACKAGED)), env, set)
const valueOf = async (cwd: string, key: string, more = {}) => (await site(cwd, more)).values.get(key)

const CODE = `export default { plugins: ['./loom.ts'], loom: { threads: 7 } }`
const kinds: [string, string][] = [
  [
    'peer.config.ts',
    `import { defineConfig, type SiteFile } from 'weft'\nconst site: SiteFile = { plugins: ['./loom.ts'], loom: { threads: 7 } }\nexport default defineConfig(site)`,
  ],
  ['peer.config.mts', CODE],
  ['peer.config.js', CODE],
  ['peer.config.mjs', CODE],
  ['peer.config.json', `{ "$schema": "x", "plugins": ["./loom.ts"], "loom": { "threads": 7 } }`],
  ['peer.config.yaml', `plugins: [./loom.ts]\nloom:\n  threads: 7\n`],
  ['peer.config.yml', `plugins: [./loom.ts]\nloom: { threads: 7 }\n`],
  ['.peerrc', `plugins: [./loom.ts]\nloom: { threads: 7 }\n`],
  ['.peerrc.json', `{ "plugins": ["./loom.ts"], "loom": { "threads": 7 } }`],
  ['package.json', `{ "name": "x", "peer": { "plugins": ["./loom.ts"], "loom": { "threads": 7 } } }`],
]

test.each(kinds)('a site in %s is found and read', async (name, text) => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, [name]: text })
  const found = await site(cwd)
  expect(found.file).toBe(join(cwd, name))
  expect(found.plugins.map((plugin) => plugin.name)).toEqual(['loom'])
  expect(found.values.get('loom.threads')).toEqual({ value: 7, layer: 'file', origin: join(cwd, name) })
})

test('a CommonJS configuration file works too', async () => {
  const cwd = tempSite({
    'loom.ts': LOOM_PLUGIN,
    'peer.config.js': `const path = require('node:path')\nmodule.exports = { plugins: ['./loom.ts'], loom: { name: path.basename(__filename) } }`,
  })
  expect((await valueOf(cwd, 'loom.name'))?.value).toBe('peer.config.js')
})

test('importing and requiring one package in one file gives what Node gives', async () => {
  const cwd = tempSite({
    'node_modules/old/package.json': '{"name":"old"}',
    'node_modules/old/index.js': `module.exports = class Old {}`,
    'loom.ts': LOOM_PLUGIN,
    'peer.config.ts': `import Old from 'old'\nconst again = require('old')\nexport default { plugins: ['./loom.ts'], loom: { running: Old === again } }`,
  })
  expect((await valueOf(cwd, 'loom.running'))?.value).toBe(true)
})

test('the nearest file upwards wins', async () => {
  const cwd = tempSite({
    'loom.ts': LOOM_PLUGIN,
    'peer.config.ts': CODE,
    'a/b/.keep': '',
    'a/peer.config.json': '{"plugins":["../loom.ts"],"loom":{"threads":2}}',
  })
  expect((await valueOf(join(cwd, 'a/b'), 'loom.threads'))?.value).toBe(2)
})

test('the search stops at the top of a repository', async () => {
  const cwd = tempSite({ 'peer.config.json': '{ this is not even JSON', 'repository/.git/HEAD': '' })
  const found = await site(join(cwd, 'repository')).catch((error: unknown) => error)
  expect(String(found)).not.toContain(join(cwd, 'peer.config.json'))
})

test('an explicit file is taken instead of a search', async () => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, 'peer.config.ts': CODE, 'other.yaml': 'plugins: [./loom.ts]\nloom: { threads: 3 }' })
  expect((await valueOf(cwd, 'loom.threads', { file: 'other.yaml' }))?.value).toBe(3)
  await expect(site(cwd, { file: 'nowhere.ts' })).rejects.toMatchObject({ code: 'ERR_CONFIG_UNREADABLE' })
})

test('a site adds a plugin to the packaged default site, as plugins.md shows', async () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/plugins.md'), 'utf8')
  const example = /```ts\n(import base from 'weft\/peer\.config'[^`]*)```/.exec(guide)?.[1] ?? expect.fail('plugins.md has no example')
  const { plugins, values } = await site(tempSite({ 'height.ts': LOOM_PLUGIN, 'peer.config.ts': example }))
  expect(plugins.map(({ name }) => name)).toEqual([...(await site(tempSite({}))).plugins.map(({ name }) => name), 'loom'])
  expect(values.get('peer.listenAddress')?.value).toBe('127.0.0.1:7051')
})

test('a file imports another TypeScript file, and import.meta is that of each file', async () => {
  const cwd = tempSite({
    'loom.ts': LOOM_PLUGIN,
    'parts/threads.ts': `export const threads: number = 5\nexport const here = import.meta.dirname`,
    'peer.config.ts': `import loom from './loom.js'\nimport { here, threads } from './parts/threads.js'\nimport { basename } from 'node:path'
      export default { plugins: [loom], loom: { threads, name: basename(here), colours: [basename(__dirname), basename(import.meta.url)] } }`,
  })
  const { values } = await site(cwd)
  expect(values.get('loom.threads')?.value).toBe(5)
  expect(values.get('loom.name')?.value).toBe('parts')
  expect(values.get('loom.colours')?.value).toEqual([cwd.split('/').at(-1), 'peer.config.ts'])
})

test('an edited import is read afresh', async () => {
  const { writeFileSync } = await import('node:fs')
  const cwd = tempSite({
    'loom.ts': LOOM_PLUGIN,
    'threads.ts': 'export const threads = 1',
    'peer.config.ts': `import { threads } from './threads.js'\nexport default { plugins: ['./loom.ts'], loom: { threads } }`,
  })
  expect((await valueOf(cwd, 'loom.threads'))?.value).toBe(1)
  writeFileSync(join(cwd, 'threads.ts'), 'export const threads = 2')
  expect((await valueOf(cwd, 'loom.threads'))?.value).toBe(2)
})

test('a base gives values and plugins, the file overrides both', async () => {
  const cwd = tempSite({
    'loom.ts': LOOM_PLUGIN,
    'root.yaml': 'plugins: [./loom.ts]\nloom: { threads: 1, pause: 1s, name: root }',
    'base.json': '{ "extends": "./root.yaml", "loom": { "threads": 2, "pause": "2s" } }',
    'peer.config.ts': `export default { extends: './base.json', loom: { threads: 3 } }`,
  })
  const { plugins, values } = await site(cwd)
  expect(plugins.map(({ name }) => name)).toEqual(['loom'])
  expect(values.get('loom.threads')).toMatchObject({ value: 3, layer: 'file' })
  expect(values.get('loom.pause')).toEqual({ value: '2s', layer: 'base', origin: join(cwd, 'base.json') })
  expect(values.get('loom.name')).toEqual({ value: 'root', layer: 'base', origin: join(cwd, 'root.yaml') })
})

test('extends in a circle is an error that shows the circle', async () => {
  const cwd = tempSite({ 'peer.config.json': '{ "extends": "./b.json" }', 'b.json': '{ "extends": "./peer.config.json" }' })
  await expect(site(cwd)).rejects.toMatchObject({ code: 'ERR_CONFIG_CYCLE', message: expect.stringContaining('b.json') })
})

test('the environment is stronger than files and --set is strongest', async () => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, 'peer.config.ts': CODE })
  const env = { CORE_LOOM_THREADS: '9', CORE_LOOM_NAME: '', CORE_PEER_LISTENADDRESS: ':1', UNRELATED: 'x' }
  const { values, unmatchedVariables } = await site(cwd, { env, set: ['loom.pause=9s', 'loom.patterns={"a":"b"}'] })
  expect(values.get('loom.threads')).toEqual({ value: '9', layer: 'environment', origin: 'CORE_LOOM_THREADS' })
  expect(values.get('peer.listenAddress')?.value).toBe(':1')
  expect(values.has('loom.name')).toBe(false)
  expect(values.get('loom.pause')).toEqual({ value: '9s', layer: 'command line', origin: '--set loom.pause' })
  expect(values.get('loom.patterns')?.value).toEqual({ a: 'b' })
  expect(unmatchedVariables).toEqual([])
  await expect(site(cwd, { set: ['loom.threads'] })).rejects.toThrow('--set loom.threads: expected key=value')
})

test('what is nested under a map belongs to the map', async () => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, 'peer.config.yaml': 'plugins: [./loom.ts]\nloom:\n  patterns:\n    twill.fine: enable\n  steam:\n' })
  const { values } = await site(cwd)
  expect(values.get('loom.patterns')?.value).toEqual({ 'twill.fine': 'enable' })
  expect([...values.keys()]).toEqual(['loom.patterns'])
})

test('a package that a site imports is the very module of the running program', async () => {
  const cwd = tempSite({
    'peer.config.ts': `import { PeerError, definePlugin } from 'weft'\nimport * as errors from 'weft'\nexport default { plugins: [definePlugin({ name: 'p', apply() { throw new PeerError('ERR_X', String(errors.PeerError === PeerError)) } })] }`,
  })
  const { PeerError } = await import('../../../kernel/errors.js')
  const { plugins } = await site(cwd)
  const thrown = await Promise.resolve(plugins[0])
    .then((plugin) => Reflect.apply(Reflect.get(plugin ?? {}, 'apply'), plugin, []))
    .catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(PeerError)
  expect(thrown).toMatchObject({ message: 'true' })
})

test('packages installed beside the site keep their default and named exports', async () => {
  const cwd = tempSite({
    'node_modules/thing/package.json': '{"name":"thing","type":"module","exports":{"import":"./thing.js"}}',
    'node_modules/thing/thing.js': `export default { name: 'thing', apply() {} }; export const threads = 6`,
    'node_modules/old/package.json': '{"name":"old"}',
    'node_modules/old/index.js': `exports.name = 'old'`,
    'loom.ts': LOOM_PLUGIN,
    'peer.config.ts': `import thing, { threads } from 'thing'\nimport old from 'old'\nimport loom from './loom.js'\nexport default { plugins: [thing, loom], loom: { threads, name: old.name } }`,
  })
  const { plugins, values } = await site(cwd)
  expect(plugins.map(({ name }) => name)).toEqual(['thing', 'loom'])
  expect(values.get('loom.threads')?.value).toBe(6)
  expect(values.get('loom.name')?.value).toBe('old')
})

test('a plugin may be named by its package, also one that can only be imported', async () => {
  const cwd = tempSite({
    'node_modules/thing/package.json': '{"name":"thing","type":"module","exports":{"import":"./thing.js","require":"./wrong.cjs"}}',
    'node_modules/thing/thing.js': `export default { name: 'thing', apply() {} }`,
    'node_modules/thing/wrong.cjs': '',
    'peer.config.yaml': 'plugins: [thing]',
  })
  expect((await site(cwd)).plugins.map(({ name }) => name)).toEqual(['thing'])
})

test.each([
  [`plugins: ['weft/plugins/nothing']`, /weft has no module weft\/plugins\/nothing/],
  [`plugins: ['not-installed-here']`, /names not-installed-here, which is not installed there/],
  [`plugins: [42]`, /plugins\[0\] in .*peer.config.yaml: expected a plugin \(name and apply\), found 42/],
  [`plugins: [./wrong.ts]`, /the default export of .\/wrong.ts.*found an object with nothing/s],
  [`plugins: [./loom.ts, ./loom.ts]`, /loom is listed twice/],
  [`plugins: yes please`, /expected a list/],
  [`- a list`, /expected sections of keys, found a list/],
  [`plugins: [}`, /peer.config.yaml|cannot be read/],
])('%s is refused with a clear error', async (text, message) => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, 'wrong.ts': 'export default { nothing: 1 }', 'peer.config.yaml': text })
  await expect(site(cwd)).rejects.toThrow(message)
})

test.each([
  ['export default {', /peer.config.ts:1:\d+: /],
  [`import { nothing } from 'weft'\nexport default { nothing }`, /peer.config.ts:1:\d+: No matching export .* "nothing"/],
  [`import './missing.js'\nexport default {}`, /peer.config.ts:1:\d+: Could not resolve/],
  [`throw new Error('no loom')`, /peer.config.ts failed while it was loaded: no loom/],
])('a broken TypeScript file is an error with file and place: %s', async (text, message) => {
  const cwd = tempSite({ 'peer.config.ts': text })
  await expect(site(cwd)).rejects.toMatchObject({ code: 'ERR_MODULE_LOAD', message: expect.stringMatching(message) })
})
