import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../integration/support/ports.js'
import { Cli } from 'clipanion'
import { matchCommand, parseArgv } from '../../kernel/cli/argv.js'
import { NodeStartCommand } from '../../kernel/cli/node-start.js'
import { Peer, createSite } from '../../kernel/index.js'
import { loadPackagedSite } from '../../kernel/config/load.js'
import { createLogging } from '../../plugins/logging/index.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { PACKAGED, temporaryDirectory } from '../kernel/sites.js'

const directory = temporaryDirectory()
const site = await loadPackagedSite(PACKAGED)
const paths = site.plugins.flatMap(({ commands = [] }) => commands.flatMap((command) => (command.paths ?? []).map((path) => path.join(' '))))
const commands = ['node start', ...paths]
const MAP = join(import.meta.dirname, '../../examples/chaincode/map.ts')

/** Another program may hold the default ports. */
const ANY_PORTS = ['peer.listenAddress', 'rest.address', 'peer.validator.events.address'].flatMap((key) => ['--set', `${key}=127.0.0.1:0`])

/** Arguments with which each command succeeds; those that run until they are stopped, always fail, or need what another command printed, have none. */
const ARGUMENTS: Readonly<Record<string, readonly string[] | 'goes on' | 'always fails' | 'of its own'>> = {
  'node start': 'goes on',
  'chaincode serve': 'goes on',
  'events listen': 'goes on',
  'node status': [],
  'network list': [],
  'network ls': [],
  'network login': 'always fails',
  'network status': [],
  'consensus status': [],
  'engine install': [join(import.meta.dirname, '../engines/packages/echo')],
  'engine list': [],
  'engine remove': ['echo@1.2.3'],
  top: [],
  'consensus history': [],
  'consensus restart-engine': [],
  'consensus recover': 'of its own',
  'consensus swap': 'of its own',
  'consensus set': 'of its own',
  'consensus cancel': 'of its own',
  'consensus sign': 'of its own',
  'devnet up': 'of its own',
  'devnet down': 'of its own',
  'devnet status': 'of its own',
  'devnet logs': 'of its own',
  bench: 'of its own',
  'bench swaps': 'of its own',
  sim: 'of its own',
  'engine new': ['my-engine'],
  'engine check': 'of its own',
  'engine dev': 'of its own',
  'chaincode deploy': ['-l', 'node', '-p', MAP, '-c', '{"Args":["init"]}'],
  'chaincode invoke': ['-n', 'example02', '-c', '{"Args":["invoke","a","b","1"]}', '--wait'],
  'chaincode query': ['-n', 'example02', '-c', '{"Args":["query","a"]}'],
  'ledger info': [],
  'ledger verify': [],
  'ledger export': [join(directory, 'ledger.weft')],
  'ledger import': 'of its own',
  block: ['latest'],
  tx: 'of its own',
  'state get': ['example02', 'a'],
  'state list': ['example02'],
  'logging get': [],
  'logging set': ['ledger=debug'],
  'logging reset': [],
  'profile cpu': ['--seconds', '0.2', '-o', join(directory, 'cpu.pb.gz')],
  'profile heap': ['-o', join(directory, 'heap.pb.gz')],
  'profile eventloop': [],
  init: [join(directory, 'new')],
  'config show': [],
  'config check': [],
  'config schema': [],
  'config import': ['core.yaml', '-o', 'imported.config.ts'],
  'plugin list': [],
  completion: ['bash'],
  version: [],
  help: [],
  'tls init': ['--dir', join(directory, 'tls')],
  'tls show': [join(directory, 'tls/server.pem')],
  doctor: ANY_PORTS,
  'doctor ports': ANY_PORTS,
  'doctor versions': [],
  'doctor limits': [],
  'doctor clock': [],
  'doctor config': [],
  'doctor data': [],
  'doctor store': [],
  'doctor reach': [],
  'doctor sandbox': [],
  'doctor tls': [],
  // Last: it ends the peer. The process of its pid file would be that of this test.
  'node stop': ['--stop-peer-pid-file', directory],
}

let peer: Peer
let sets: readonly string[] = []
beforeAll(async () => {
  const [events, profiling] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const values = {
    'peer.listenAddress': '127.0.0.1:0',
    'rest.address': '127.0.0.1:0',
    'metrics.address': '127.0.0.1:0',
    'peer.validator.events.address': events,
    'peer.profile.enabled': true,
    'peer.profile.listenAddress': profiling,
    'peer.fileSystemPath': join(directory, 'data'),
  }
  const base = createSite({ plugins: site.plugins, values: site.values })
  const running = Object.entries(values).reduce((so, [key, value]) => so.with(key, value, 'test'), base)
  peer = new Peer(running, { logging: createLogging({ spec: 'critical', stream: { write: () => true } }) })
  await peer.start()
  sets = Object.entries({
    'peer.address': peer.listenerAddress(),
    'peer.validator.events.address': events,
    'peer.profile.listenAddress': profiling,
    'peer.fileSystemPath': join(directory, 'data'),
  }).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  writeFileSync(join(directory, 'core.yaml'), 'peer:\n  id: vp1\n')
})
afterAll(() => peer.stop())

/** Of the first program of a line, as a shell takes them apart. */
function wordsOf(line: string): readonly string[] {
  const [, ...found] = ['', ...line.matchAll(/'([^']*)'|"((?:[^"\\\\]|\\\\.)*)"|([|>&;]+)|[^\s'"|>&;]+/g)].map((match) =>
    typeof match === 'string' ? match : (match[1] ?? match[2] ?? match[0]),
  )
  const end = found.findIndex((word) => /^[|>&;]+$/.test(word))
  return end < 0 ? found : found.slice(0, end)
}

describe('every example in the help', () => {
  const all = [NodeStartCommand, ...site.plugins.flatMap((plugin) => plugin.commands ?? [])]
  const examples = all.flatMap((command) => (command.usage?.examples ?? []).map(([, line]) => line))
  test.each(examples)('%s', (line) => {
    const [program, ...words] = wordsOf(/\$\((.*)\)/.exec(line)?.[1] ?? line)
    expect(['peer', '$0']).toContain(program)
    const { words: given, leading, unknownFlag } = parseArgv(words)
    expect(unknownFlag).toBeUndefined()
    const { command, path } = matchCommand(given, all)
    if (command === undefined) throw new Error('no such command')
    const input = [...path, ...leading, ...given.slice(path.length)]
    const context = { cwd: directory, version: '', defaultSite: async () => site, loadedSite: async () => Promise.reject(new Error('no site is loaded')) }
    expect(() => Cli.from([command], { binaryName: 'peer' }).process({ input, context })).not.toThrow()
  })
})

describe('every command of the default site', () => {
  test('network login says that there is nothing to log in to, and fails', async () => {
    const { exit, stdout, stderr } = await runPeer(directory, ['network', 'login', 'jim'])
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
    expect(stderr).toMatch(/^Error: Error on client login: /)
    expect((await runPeer(directory, ['network', 'login'])).stderr).toMatch(/^Error: Must supply username/)
  })

  test('ledger import and tx take what other commands gave', async () => {
    const run = async (...words: string[]) => {
      const { exit, stdout, stderr } = await runPeer(directory, [...words, '--json'])
      expect(exit, stderr).toBe(0)
      return JSON.parse(stdout)
    }
    await run('chaincode', 'invoke', '-n', 'example02', '-c', '{"Args":["invoke","a","b","1"]}', '--wait', ...sets)
    const { number, transactions } = await run('block', 'latest', ...sets)
    expect(await run('tx', transactions[0].txid, ...sets)).toMatchObject({ block: number, chaincode: 'example02', args: ['invoke', 'a', 'b', '1'] })
    const { blocks } = await run('ledger', 'export', 'own.weft', ...sets)
    const elsewhere = ['--set', `peer.fileSystemPath=${join(directory, 'imported')}`]
    expect(await run('ledger', 'import', 'own.weft', ...elsewhere)).toMatchObject({ height: blocks })
    expect(await run('tx', transactions[0].txid, ...elsewhere)).toMatchObject({ block: number })
  })

  test('is walked by this test', () => {
    expect(commands.toSorted()).toEqual(Object.keys(ARGUMENTS).toSorted())
  })

  test.each(commands)('%s has help with examples', async (command) => {
    const { exit, stdout, stderr } = await runPeer(directory, [...command.split(' '), '--help'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    // Flags and texts are wrapped; what is to be copied is not.
    const [texts = ''] = stdout.split('\nExamples:')
    expect(texts.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(stdout).toMatch(/\nUsage:\n {2}peer .*\n(.*\n)*\nExamples:\n {2}# \S.*\n {2}\S/)
  })

  test.each(commands.filter((command) => command !== 'help'))('%s --json fails with one JSON object on stderr', async (command) => {
    const { exit, stdout, stderr } = await runPeer(directory, [...command.split(' '), '--json', '--no-such-flag'])
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_USAGE', message: expect.stringMatching(/\S/) } })
  })

  test.each(Object.entries(ARGUMENTS).flatMap(([command, words]) => (typeof words === 'string' ? [] : [{ command, words }])))(
    '$command --json succeeds with JSON on stdout',
    async ({ command, words }) => {
      const { exit, stdout, stderr } = await runPeer(directory, [...command.split(' '), ...words, '--json', ...(command === 'help' ? [] : sets)])
      expect(exit, stderr).toBe(0)
      expect(JSON.parse(stdout)).toBeTypeOf('object')
      for (const line of stderr.split('\n').filter((text) => text !== '')) expect(JSON.parse(line)).toMatchObject({ warning: expect.any(String) })
    },
  )
})
