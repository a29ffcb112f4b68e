import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { preparePeer, type TestPeer } from './support/peer.js'
import { type Ended, Program, ROOT } from './support/program.js'

/** The command line against a peer in development mode, with a chaincode that speaks v0.6's shim protocol. */
interface Recorded {
  readonly name: string
  readonly command: string
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
}

const { commands }: { commands: Recorded[] } = JSON.parse(readFileSync(join(ROOT, 'test/vectors/cli.json'), 'utf8'))
const recordedCommands = commands.map((recorded) => [recorded.name, recorded] as const)
const LOG_LINE = /^\d\d:\d\d:\d\d\.\d{3} \[/
const QUERY_A = '{"Function":"query","Args":["a"]}'

/** What was printed on stderr before the list of flags, without log lines, whose times and counters differ in every run, and without Weft's hints. */
function errorText(stderr: string): string {
  const end = stderr.indexOf('\nFlags:')
  const lines = (end < 0 ? stderr : stderr.slice(0, end)).split('\n')
  const usage = lines.indexOf('Usage:')
  return lines
    .filter((line, index) => !LOG_LINE.test(line) && !(index < usage && line.startsWith('  ')))
    .join('\n')
    .trimEnd()
}

let peer: TestPeer
let chaincode: Program | undefined

beforeAll(async () => {
  peer = await preparePeer({ flags: ['--peer-chaincodedev'] })
  await peer.start()
})

afterAll(async () => {
  if (chaincode?.isRunning === true) chaincode.signal('SIGTERM')
  await peer.dispose()
})

/** Runs a deploy until it is in a block: the chaincode, just started, may not have registered yet, and then the deploy is rejected. */
async function deployUntilCommitted(words: readonly string[]): Promise<Ended> {
  for (;;) {
    const { height } = await peer.client.info()
    const done = await peer.cli(...words)
    await peer.untilHeight(height + 1n)
    if ((await peer.client.block(height)).transactions.length > 0) return done
  }
}

describe('recorded commands of the original', () => {
  // In their order: each finds what those before it did.
  test.each(recordedCommands)('%s prints the same and exits the same', async (name, { command, stdout, stderr, exit }) => {
    const words = command.split(' ').slice(1)
    if (name === '07-deploy') {
      chaincode = new Program(['chaincode', 'serve', join(ROOT, 'examples/chaincode/example02.ts'), '--name', 'mycc'], peer.options)
      expect(await deployUntilCommitted(words)).toMatchObject({ stdout, code: exit })
      return
    }
    if (name === '90-node-stop') {
      await otherCommands()
      // The original crashes here; what it means to print is `status:STOPPED ` (spec/node.md §1).
      expect(await peer.cli(...words)).toMatchObject({ stdout: 'status:STOPPED \n', code: 0 })
      expect((await peer.program.ended).code).toBe(0)
      return
    }
    const { height } = name === '11-invoke' ? await peer.client.info() : { height: -1n }
    const done = await peer.cli(...words)
    expect({ stdout: done.stdout, exit: done.code }).toEqual({ stdout, exit })
    if (exit !== 0) expect(errorText(done.stderr)).toBe(errorText(stderr))
    if (height > 0n) await peer.untilHeight(height + 1n)
  })
})

/** What is not recorded, while the chaincode is there. */
async function otherCommands(): Promise<void> {
  const both = await peer.cli('chaincode', 'query', '-x', '-r', '-n', 'mycc', '-c', QUERY_A)
  expect(both).toMatchObject({ stdout: '', code: 1 })
  expect(both.stderr).toMatch(/^Error: Options --raw \(-r\) and --hex \(-x\) are not compatible\n\nUsage:\n/)

  const json = await peer.cli('chaincode', 'query', '-n', 'mycc', '-c', QUERY_A, '--json')
  expect({ ...json, stdout: JSON.parse(json.stdout) }).toMatchObject({ stdout: { result: '90', hex: '3930' }, code: 0 })

  const { height } = await peer.client.info()
  const waited = await peer.cli('chaincode', 'invoke', '-n', 'mycc', '-c', '{"Args":["invoke","a","b","1"]}', '--wait')
  expect(waited.stdout).toMatch(new RegExp(`^Transaction [0-9a-f-]{36} is committed in block ${height}\n$`))
  const rejected = await peer.cli('chaincode', 'invoke', '-n', 'mycc', '-c', '{"Args":["invoke","a","nobody","1"]}', '--wait', '--json')
  expect(rejected).toMatchObject({ stdout: '', code: 1 })
  expect(JSON.parse(rejected.stderr)).toMatchObject({
    error: { code: 'ERR_TRANSACTION_REJECTED', details: { error: 'Transaction or query returned with failure: Entity not found' } },
  })
  const logged = await peer.cli('--logging-level', 'info', 'chaincode', 'invoke', '-n', 'mycc', '-c', '{"Args":["invoke","a","b","1"]}')
  expect(logged).toMatchObject({ stdout: '', code: 0 })
  expect(logged.stderr).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} \[chaincodeCmd\] chaincodeInvokeOrQuery -> INFO 001 Successfully invoked transaction: chaincodeSpec:<type:GOLANG chaincodeID:<name:"mycc" > ctorMsg:<args:"invoke" args:"a" args:"b" args:"1" > > \([0-9a-f-]{36}\)\n$/,
  )
  const plain = await peer.cli('chaincode', 'invoke', '-n', 'mycc', '-c', '{"Args":["invoke","a","b","1"]}', '--json')
  expect(JSON.parse(plain.stdout).txid).toMatch(/^[0-9a-f-]{36}$/)
  const sha = await peer.cli('chaincode', 'invoke', '-n', 'mycc', '-c', '{"Args":["invoke","a","b","1"]}', '-t', 'SHA256', '--json')
  expect(JSON.parse(sha.stdout).txid).toMatch(/^[0-9a-f]{64}$/)
}

describe('commands that the peer never sees', () => {
  const query = ['chaincode', 'query', '-n', 'mycc']
  test.each([
    ['no name and no path', ['chaincode', 'query', '-c', QUERY_A], 'Must supply value for chaincode path parameter.'],
    ['no constructor', query, "Empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'"],
    [
      'a key too many',
      [...query, '-c', '{"Args":[],"X":1}'],
      "Non-empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'",
    ],
    ['a constructor that is not JSON', [...query, '-c', '{'], 'Chaincode argument error: '],
    ['a constructor that is no object', [...query, '-c', '[1]'], 'Chaincode argument error: '],
    ['attributes that are not JSON', [...query, '-c', QUERY_A, '-a', '['], 'Chaincode argument error: '],
  ])('%s is refused in the words of v0.6', async (_, words, text) => {
    const { stdout, stderr, code } = await peer.cli(...words)
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    expect(stderr.startsWith(`Error: ${text}`), stderr).toBe(true)
    expect(stderr).toContain('\nUsage:\n')
  })

  test('an unknown command is named', async () => {
    expect(await peer.cli('bogus')).toMatchObject({
      stdout: '',
      stderr: 'Error: unknown command "bogus" for "peer"\nRun \'peer --help\' for usage.\n',
      code: 1,
    })
  })

  test.each([[[]], [['node']], [['node', 'bogus']], [['chaincode']], [['--help']]])('peer %j prints help on stdout', async (words) => {
    const { stdout, stderr, code } = await peer.cli(...words)
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^Usage:\n {2}peer/)
  })

  test('version prints one line, in both spellings, and JSON', async () => {
    const [word, flag, json] = await Promise.all([peer.cli('version'), peer.cli('--version'), peer.cli('version', '--json')])
    expect(word).toMatchObject({ stdout: expect.stringMatching(/^Fabric peer server version \S+\n$/), stderr: '', code: 0 })
    expect(flag.stdout).toBe(word.stdout)
    expect(JSON.parse(json.stdout)).toHaveProperty('protocol')
  })

  test.each([[['--help']], [['config', 'schema']], [['plugin', 'list']]])('a reader that goes away ends %j without a word', async (words) => {
    const program = new Program(words, { cwd: ROOT, through: ['sh', '-c', '{ "$@"; echo "exit code $?" >&2; } | true', 'sh'] })
    expect(await program.ended).toMatchObject({ stdout: '', stderr: 'exit code 0\n' })
  })
})
