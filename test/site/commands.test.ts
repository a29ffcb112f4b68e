import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LOOM_PLUGIN, tempSite } from '../kernel/config/temp-site.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { PACKAGED } from '../kernel/sites.js'

const site = (loom: string, files: Readonly<Record<string, string>> = {}) =>
  tempSite({ 'loom.ts': LOOM_PLUGIN, 'peer.config.yaml': `plugins: [./loom.ts, weft/plugins/site]\n${loom}`, ...files })

test('peer init writes a site that loads, and does not overwrite it unasked', async () => {
  const cwd = tempSite({ 'peer.config.yaml': 'plugins: [weft/plugins/site]' })
  const file = join(cwd, 'new', 'peer.config.ts')
  expect(await runPeer(cwd, ['init', 'new'])).toMatchObject({ exit: 0, stdout: expect.stringContaining(`Wrote ${file}`) })
  expect(readFileSync(file, 'utf8')).toContain(`listenAddress: '127.0.0.1:7051'`)
  const again = await runPeer(cwd, ['init', 'new'])
  expect(again).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringContaining(`${file} exists already`) })
  expect(await runPeer(cwd, ['init', 'new', '--force'])).toMatchObject({ exit: 0 })
})

test('the site that peer init writes has the plugins and values of the packaged default site', async () => {
  const { loadFiles, loadPackagedSite } = await import('../../kernel/config/load.js')
  const cwd = tempSite({ 'peer.config.yaml': 'plugins: [weft/plugins/site]' })
  await runPeer(cwd, ['init', 'new'])
  const packaged = await loadPackagedSite(PACKAGED)
  const written = await loadFiles(join(cwd, 'new'), undefined, packaged)
  expect(written.plugins).toEqual(packaged.plugins)
  for (const [key, { value }] of packaged.values) expect(written.values.get(key)?.value).toEqual(value)
})

test('peer config show prints values, --origin where they come from', async () => {
  const cwd = site('loom:\n  threads: 7\n')
  const shown = await runPeer(cwd, ['config', 'show', '--origin', 'loom', 'peer.id'], { CORE_PEER_ID: 'vp3' })
  expect(shown.stderr).toBe('')
  expect(shown.stdout.split('\n')).toEqual([
    'peer.id = "vp3"   # environment: CORE_PEER_ID',
    `loom.threads = 7   # file: ${join(cwd, 'peer.config.yaml')}`,
    'loom.pause = 5000   # default of loom',
    'loom.colours = []   # default of loom',
    'loom.running = false   # default of loom',
    'loom.patterns = {}   # default of loom',
    'loom.name = "jenny"   # default of loom',
    '',
  ])
  expect((await runPeer(cwd, ['config', 'show', 'loom.threads'])).stdout).toBe('loom.threads = 7\n')
  expect(JSON.parse((await runPeer(cwd, ['config', 'show', '--json', 'loom.threads'])).stdout)).toEqual({
    values: [{ key: 'loom.threads', value: 7, layer: 'file', origin: join(cwd, 'peer.config.yaml'), description: 'threads of the loom' }],
  })
  expect(await runPeer(cwd, ['config', 'show', 'loom.tread'])).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('no plugin of this site has a key loom.tread, did you mean loom.threads?'),
  })
})

test('peer config check passes a valid site with its notes', async () => {
  const checked = await runPeer(site('loom: { threads: 7, steam: true }\n'), ['config', 'check'], { CORE_VM_ENDPOINT: 'unix:///x', CORE_LOOM_NAMES: 'x' })
  expect(checked).toMatchObject({ exit: 0, stderr: '' })
  expect(checked.stdout).toMatch(
    /notice: settings of v0.6 .* loom.steam \(file .*\), CORE_VM_ENDPOINT\nwarning: CORE_LOOM_NAMES is ignored: .* did you mean CORE_LOOM_NAME\?\n.*is valid: 1 of \d+ keys are set\.\n/,
  )
})

test('peer config check lists every error and exits with 1', async () => {
  const checked = await runPeer(site('loom: { threads: 0, pauze: 1s }\n'), ['config', 'check'])
  expect(checked).toMatchObject({ exit: 1, stdout: '' })
  expect(checked.stderr).toMatch(/loom.threads .*expected at least 1, found 0\n.*loom.pauze .*did you mean loom.pause\?\n$/)
})

test('peer config schema describes the nested form of every key', async () => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, 'peer.config.yaml': 'plugins: [./loom.ts, weft/plugins/grpc, weft/plugins/site]' })
  const { stdout } = await runPeer(cwd, ['config', 'schema', '--json'])
  const schema = JSON.parse(stdout)
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
  expect(schema.properties.loom).toMatchObject({
    additionalProperties: false,
    properties: {
      threads: { default: 4, description: 'threads of the loom', anyOf: [{ type: 'integer', minimum: 1, maximum: 64 }, { type: 'string' }] },
      patterns: { type: 'object', default: {} },
    },
  })
  expect(schema.properties.peer.properties.tls.properties.cert.properties.file.description).toContain('PEM')
})

test('peer config import keeps what differs from the defaults and comments the rest', async () => {
  const core =
    'PEER:\n  id: vp5\n  networkId: dev\n  workers: 2\nlogging:\n  node: info\n  peer: debug\nvm:\n  endpoint: "unix:///var */ run"\nmine:\n  own: 1\nledger:\n  blockchain:\n'
  const cwd = tempSite({ 'core.yaml': core, 'pbft.yaml': 'general:\n  mode: batch\n  N: 7\n', 'peer.config.yaml': 'plugins: [weft/plugins/site]' })
  const imported = await runPeer(cwd, ['config', 'import', 'core.yaml', '--pbft', 'pbft.yaml', '-o', 'new.config.ts'])
  expect(imported).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining('peer.listenAddress is 0.0.0.0:7051, as in v0.6: nothing authenticates callers there'),
  })
  const written = readFileSync(join(cwd, 'new.config.ts'), 'utf8')
  expect(written).toContain(
    '  peer: {\n    id: "vp5",\n    listenAddress: "0.0.0.0:7051",\n    address: "0.0.0.0:7051",\n  },\n  logging: {\n    peer: "debug",\n  },\n  pbft: {\n    general: {\n      N: 7,\n    },\n  },\n',
  )
  expect(written).toMatch(/does not use:\n {2}\/\/ {3}peer.workers: 2\n {2}\/\/ {3}vm.endpoint: unix:\/\/\/var \* \/ run\n/)
  expect(written).toMatch(/plugins know:\n {2}\/\/ {3}mine.own: 1\n/)
  const { loadFiles, loadPackagedSite } = await import('../../kernel/config/load.js')
  expect((await loadFiles(cwd, 'new.config.ts', await loadPackagedSite(PACKAGED))).values.get('peer.id')?.value).toBe('vp5')
  expect(await runPeer(cwd, ['config', 'import', 'core.yaml', '-o', 'new.config.ts'])).toMatchObject({ exit: 1 })
  expect(await runPeer(cwd, ['config', 'import', 'nothing.yaml', '-o', 'other.ts'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('nothing.yaml') })
  expect(existsSync(join(cwd, 'other.ts'))).toBe(false)
})

test('peer config import keeps the addresses of the file, and says nothing if they are of this machine', async () => {
  const core = 'peer:\n  listenAddress: 127.0.0.1:8051\n  address: localhost:8051\n'
  const cwd = tempSite({ 'core.yaml': core, 'peer.config.yaml': 'plugins: [weft/plugins/site]' })
  const imported = await runPeer(cwd, ['config', 'import', 'core.yaml', '-o', 'missing/directory/new.config.ts'])
  expect(imported).toMatchObject({ exit: 0, stderr: '' })
  expect(readFileSync(join(cwd, 'missing/directory/new.config.ts'), 'utf8')).toContain(
    '  peer: {\n    listenAddress: "127.0.0.1:8051",\n    address: "localhost:8051",\n  },\n',
  )
})

test('a site that cannot be written is an error that names the file', async () => {
  const cwd = tempSite({ taken: 'a file', 'core.yaml': 'peer:\n  id: vp1\n', 'peer.config.yaml': 'plugins: [weft/plugins/site]' })
  for (const argv of [
    ['init', 'taken/site'],
    ['config', 'import', 'core.yaml', '-o', 'taken/new.config.ts'],
  ]) {
    const printed = await runPeer(cwd, [...argv, '--json'])
    expect(JSON.parse(printed.stderr.split('\n').at(-2) ?? '')).toMatchObject({
      error: { code: 'ERR_SITE_WRITE', message: expect.stringContaining(`cannot write ${join(cwd, 'taken')}`) },
    })
  }
})
