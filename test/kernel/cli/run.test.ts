import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { LOOM_PLUGIN, tempSite } from '../config/temp-site.js'
import { runPeer } from './run-peer.js'

const BROKEN = { 'peer.config.json': '{ broken' }

const COMMANDS = `
import { Option, PeerCommand, PeerError, definePlugin, peerKeys } from 'weft'
class Weave extends PeerCommand {
  static paths = [['loom', 'weave'], ['loom', 'w']]
  static usage = PeerCommand.Usage({ description: 'Weave.', examples: [['Weave twill', '$0 loom weave twill']] })
  rows = Option.String('-r,--rows', '1', { description: 'rows to weave' })
  pattern = Option.String({ name: 'pattern' })
  async run() {
    if (this.pattern === 'knot') throw new PeerError('ERR_LOOM_KNOT', 'the thread has a knot', { hint: 'untie it', details: { row: 3n } })
    const settings = await this.settings(peerKeys)
    this.report({ pattern: this.pattern, rows: BigInt(this.rows), bytes: new Uint8Array([1, 2]) }, \`\${this.pattern} \${this.rows} by \${settings['peer.id']} at \${settings['logging.level']}\\n\`)
    return this.pattern === 'seven' ? 7 : undefined
  }
}
class Stop extends PeerCommand {
  static paths = [['loom', 'stop']]
  static usage = PeerCommand.Usage({ description: 'Stop.' })
  async run() {}
}
export default definePlugin({ name: 'loom', version: '2', description: 'a loom', commands: [Weave, Stop], apply() {} })
`
const loomSite = () => tempSite({ 'loom.ts': COMMANDS, 'peer.config.ts': `export default { plugins: ['./loom.ts'], peer: { id: 'vp7' } }` })

test.each([
  [['version']],
  [['-v']],
  [['--version']],
  [['--logging-level', 'debug', 'version']],
  [['--test.coverprofile=c.cov', 'version']],
  [['version', '--test.coverprofile', 'c.cov']],
])('%j prints the version and loads no site', async (argv) => {
  const printed = await runPeer(tempSite(BROKEN), argv)
  expect(printed).toMatchObject({ exit: 0, stderr: '' })
  expect(printed.stdout).toMatch(/^Fabric peer server version 0\.6\.2-preview-weft-\d+\.\d+\.\d+\n$/)
})

test.each([[[]], [['--help']], [['-h']], [['help']]])('%j prints the help of the whole program and loads no site', async (argv) => {
  const printed = await runPeer(tempSite(BROKEN), argv)
  expect(printed).toMatchObject({ exit: 0, stderr: '' })
  expect(printed.stdout).toMatch(/Available Commands:\n(.*\n)* {2}node +node specific commands\.\n(.*\n)* {2}version +Print fabric peer version\./)
})

test.each([[['node', 'start', '--help']], [['node', 'start', '-h']], [['help', 'node', 'start']]])('%j prints the help of the command', async (argv) => {
  const printed = await runPeer(tempSite(BROKEN), argv)
  expect(printed).toMatchObject({ exit: 0, stderr: '' })
  expect(printed.stdout).toMatch(
    /^Start the peer of this site\.\n\nRuns until SIGINT, SIGTERM or `peer node stop`, and then stops in good order\.\n\nUsage:\n {2}peer node start \[flags\]\n/,
  )
  expect(printed.stdout).toContain('--logging-level <value>')
})

test.each([[['loom', 'weave', '--help']], [['loom', 'w', '-h']], [['help', 'loom', 'weave']]])(
  "%j prints the help of a command of the site's own plugin",
  async (argv) => {
    const printed = await runPeer(loomSite(), argv)
    expect(printed).toMatchObject({ exit: 0, stderr: '' })
    expect(printed.stdout).toMatch(/^Weave\.\n\nUsage:\n {2}peer loom weave /)
  },
)

test('help for words that nothing knows is an error', async () => {
  expect(await runPeer(loomSite(), ['spin', '--help'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('unknown command "spin" for "peer"') })
})

test('an unknown command is an error on stderr', async () => {
  const printed = await runPeer(tempSite({}), ['bogus'])
  expect(printed).toEqual({ exit: 1, stdout: '', stderr: `Error: unknown command "bogus" for "peer"\nRun 'peer --help' for usage.\n` })
})

test('an unknown word below a group is an error; below those of v0.6 it is their help, as there', async () => {
  expect(await runPeer(tempSite({}), ['config', 'bogus'])).toMatchObject({
    exit: 1,
    stdout: '',
    stderr: expect.stringContaining('unknown command "bogus" for "peer config"'),
  })
  expect(await runPeer(tempSite({}), ['node', 'bogus'])).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringContaining('peer node [command]') })
})

test.each<[string[], string, string?]>([
  [['nod', 'status'], 'unknown command "nod" for "peer", did you mean node?'],
  [['config', 'chekc'], 'unknown command "chekc" for "peer config"', "did you mean peer config check? Else run 'peer config --help' for usage"],
  [['config', 'check', '--sett', 'a=b'], 'unknown option --sett, did you mean --set?'],
  [['config', 'check', '--jsno=1'], 'unknown option --jsno, did you mean --json?'],
  [['config', 'check', '--zzzzzzzz', '-x'], 'unknown option --zzzzzzzz'],
])('%s: what was meant is told, to programs too', async (argv, message, hint) => {
  const { exit, stdout, stderr } = await runPeer(tmpdir(), [...argv, '--json'])
  expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
  const { error } = JSON.parse(stderr)
  expect([error.message, error.hint]).toEqual([message, hint])
})

test('without a working directory nothing is looked for', async () => {
  expect(await runPeer('', ['version'])).toEqual({ exit: 1, stdout: '', stderr: 'Error: the working directory is gone: change to one that is there\n' })
})

test('an unknown option is named, also of a command whose arguments may be left out', async () => {
  const printed = await runPeer(tempSite({}), ['consensus', 'recover', 'pbft', '--dry-run'])
  expect(printed).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^Error: unknown option --dry-run\nUsage:\n/) })
})

test('an unknown flag of the bare program is an error', async () => {
  expect(await runPeer(tempSite({}), ['--bogus'])).toEqual({ exit: 1, stdout: '', stderr: 'Error: unknown flag: --bogus\n' })
})

test.each([[['node']], [['node', 'bogus']], [['chaincode']]])('%j, a group without a command of it, prints the help of the group', async (argv) => {
  const printed = await runPeer(tempSite({}), argv)
  expect(printed).toMatchObject({ exit: 0, stderr: '' })
  expect(printed.stdout).toContain(`Usage:\n  peer ${argv[0]} [command]\n`)
})

test('a broken configuration file is one readable error', async () => {
  const printed = await runPeer(tempSite(BROKEN), ['plugin', 'list'])
  expect(printed).toMatchObject({ exit: 1, stdout: '' })
  expect(printed.stderr).toMatch(/^Error: configuration in .* cannot be read: .*peer\.config\.json/)
  expect(printed.stderr).not.toContain('Usage:')
})

test('peer plugin list shows the plugins of the site', async () => {
  const cwd = tempSite({ 'loom.ts': LOOM_PLUGIN, 'peer.config.json': '{ "plugins": ["./loom.ts", "weft/plugins/site"] }' })
  expect((await runPeer(cwd, ['plugin', 'list'])).stdout).toBe('loom\nsite   peer init, config show, check, schema and import, plugin list, shell completion\n')
  expect(JSON.parse((await runPeer(cwd, ['plugin', 'list', '--json'])).stdout)).toMatchObject({
    plugins: [{ name: 'loom', keys: expect.arrayContaining(['loom.threads']), commands: [] }, { name: 'site' }],
  })
})

test('a missing or superfluous argument is an error with the usage, on stderr', async () => {
  for (const argv of [
    ['plugin', 'list', 'what'],
    ['plugin', 'list', '--what'],
  ]) {
    const printed = await runPeer(tempSite({}), argv)
    expect(printed).toMatchObject({ exit: 1, stdout: '' })
    expect(printed.stderr).toMatch(/^Error: .*\n(.*\n)*Usage:\n {2}peer plugin list \[flags\]\n/)
  }
})

test('with --json errors are one JSON object on stderr', async () => {
  const printed = await runPeer(tempSite(BROKEN), ['plugin', 'list', '--json'])
  expect(printed.stdout).toBe('')
  expect(JSON.parse(printed.stderr)).toMatchObject({ error: { code: 'ERR_CONFIG_UNREADABLE', message: expect.stringContaining('cannot be read') } })
  expect(JSON.parse((await runPeer(tempSite({}), ['--json', 'bogus'])).stderr)).toMatchObject({ error: { code: 'ERR_COMMAND_UNKNOWN' } })
})

test('a plugin brings commands, with the values of the site', async () => {
  const cwd = loomSite()
  expect(await runPeer(cwd, ['loom', 'weave', 'twill', '-r', '3'])).toEqual({ exit: 0, stderr: '', stdout: 'twill 3 by vp7 at undefined\n' })
  expect((await runPeer(cwd, ['loom', 'weave', 'seven'])).exit).toBe(7)
  expect((await runPeer(cwd, ['loom', 'weave', 'twill'], { CORE_PEER_ID: 'vp8', CORE_LOGGING_LEVEL: 'error' })).stdout).toBe('twill 1 by vp8 at error\n')
})

test('global flags may stand before the command or behind it', async () => {
  const cwd = loomSite()
  for (const argv of [
    ['--logging-level', 'debug', '--set', 'peer.id=vp9', 'loom', 'weave', 'twill'],
    ['loom', 'weave', 'twill', '--set', 'peer.id=vp9', '--logging-level=debug'],
    ['--test.coverprofile', 'x.cov', '--logging-level=debug', 'loom', 'weave', '--set=peer.id=vp9', 'twill'],
  ]) {
    expect((await runPeer(cwd, argv, { CORE_PEER_ID: 'vp8' })).stdout).toBe('twill 1 by vp9 at debug\n')
  }
})

test('--json prints one object: big numbers as numbers, bytes in base64', async () => {
  const printed = await runPeer(loomSite(), ['--json', 'loom', 'weave', 'twill'])
  expect(printed.stdout).toBe('{"pattern":"twill","rows":1,"bytes":"AQI="}\n')
})

test('a failing command prints its error and the hint on stderr, and its usage only where the command line is wrong', async () => {
  const printed = await runPeer(loomSite(), ['loom', 'weave', 'knot'])
  expect(printed).toMatchObject({ exit: 1, stdout: '' })
  expect(printed.stderr).toBe('Error: the thread has a knot\n  untie it\n')
  const wrong = await runPeer(loomSite(), ['loom', 'weave'])
  expect(wrong.stderr).toMatch(/^Error: Not enough positional arguments\.\nUsage:\n {2}peer loom weave <pattern> \[flags\]\n\nFlags:\n/)
  expect(wrong.stderr).toContain('-r, --rows <value>')
  expect(wrong.stderr).toContain('  peer loom weave twill\n')
  const json = await runPeer(loomSite(), ['loom', 'weave', 'knot', '--json'])
  expect(JSON.parse(json.stderr)).toEqual({ error: { code: 'ERR_LOOM_KNOT', message: 'the thread has a knot', hint: 'untie it', details: { row: 3 } } })
  expect(json.stdout).toBe('')
})

test('a missing argument is an error with the usage', async () => {
  const printed = await runPeer(loomSite(), ['loom', 'weave'])
  expect(printed).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringMatching(/^Error: Not enough positional arguments\.\nUsage:/) })
})

test('an invalid value is an error before the command does anything', async () => {
  const printed = await runPeer(loomSite(), ['loom', 'weave', 'twill', '--set', 'peer.address=nowhere'])
  expect(printed).toMatchObject({ exit: 1, stdout: '' })
  expect(printed.stderr).toContain('peer.address (command line --set peer.address): expected host:port, found "nowhere"')
})
