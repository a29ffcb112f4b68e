import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

/** Arguments with which each command succeeds; those that run until they are stopped, or always fail, have none. */
const ARGUMENTS: Readonly<Record<string, readonly string[] | 'goes on' | 'always fails'>> = {
  'node start': 'goes on',
  'chaincode serve': 'goes on',
  'node status': [],
  'network list': [],
  'network ls': [],
  'network login': 'always fails',
  'chaincode deploy': ['-l', 'node', '-p', MAP, '-c', '{"Args":["init"]}'],
  'chaincode invoke': ['-n', 'example02', '-c', '{"Args":["invoke","a","b","1"]}', '--wait'],
  'chaincode query': ['-n', 'example02', '-c', '{"Args":["query","a"]}'],
  'ledger info': [],
  'ledger verify': [],
  init: [join(directory, 'new')],
  'config show': [],
  'config check': [],
  'config schema': [],
  'config import': ['core.yaml', '-o', 'imported.config.ts'],
  'plugin list': [],
  completion: ['bash'],
  version: [],
  sim: ['noops', '--validators', '1', '--seeds', '2'],
  help: [],
  // Last: it ends the peer. The process of its pid file would be that of this test.
  'node stop': ['--stop-peer-pid-file', directory],
}

let peer: Peer
let sets: readonly string[] = []
beforeAll(async () => {
  const values = { 'peer.listenAddress': '127.0.0.1:0', 'peer.fileSystemPath': join(directory, 'data') }
  const base = createSite({ plugins: site.plugins, values: site.values })
  const running = Object.entries(values).reduce((so, [key, value]) => so.with(key, value, 'test'), base)
  peer = new Peer(running, { logging: createLogging({ spec: 'critical', stream: { write: () => true } }) })
  await peer.start()
  sets = ['--set', `peer.address=${peer.listenerAddress()}`, '--set', `peer.fileSystemPath=${join(directory, 'data')}`]
  writeFileSync(join(directory, 'core.yaml'), 'peer:\n  id: vp1\n')
})
afterAll(() => peer.stop())

describe('every command of the default site', () => {
  test('network login says that there is nothing to log in to, and fails', async () => {
    const { exit, stdout, stderr } = await runPeer(directory, ['network', 'login', 'jim'])
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
    expect(stderr).toMatch(/^Error: Error on client login: /)
    expect((await runPeer(directory, ['network', 'login'])).stderr).toMatch(/^Error: Must supply username/)
  })

  test('is walked by this test', () => {
    expect(commands.toSorted()).toEqual(Object.keys(ARGUMENTS).toSorted())
  })

  test.each(commands)('%s has help with examples', async (command) => {
    const { exit, stdout, stderr } = await runPeer(directory, [...command.split(' '), '--help'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
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
    20_000,
  )
})
