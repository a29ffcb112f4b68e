import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { TestClient } from './support/client.js'
import { temporaryDirectory, until } from './support/peer.js'
import { freePorts, listen } from './support/ports.js'
import { type Ended, Program, runProgram } from './support/program.js'

interface Shown {
  readonly id: string
  readonly state: string
  readonly pid?: number
  readonly height?: string | number
  readonly headHash?: string
  readonly stateHash?: string
  readonly links?: readonly string[]
  readonly view?: number
  readonly leader?: string
  readonly reason?: string
}

/** A devnet in a directory of its own, stopped when the test ends. */
class TestDevnet {
  private constructor(
    readonly directory: string,
    readonly port: number,
  ) {}

  static async create(validators: number): Promise<TestDevnet> {
    const devnet = new TestDevnet(temporaryDirectory(), await freePorts(validators * 10))
    onTestFinished(async () => {
      await devnet.command('down', '--kill')
      rmSync(devnet.directory, { recursive: true, force: true })
    })
    return devnet
  }

  command(name: string, ...args: string[]): Promise<Ended> {
    return runProgram(['devnet', name, ...args], { cwd: this.directory })
  }

  async up(...args: string[]): Promise<void> {
    const { code, stderr } = await this.command('up', '--timeout', '90', ...args)
    expect(code, stderr).toBe(0)
  }

  file(id: string): string {
    return join(this.directory, 'weft-devnet', id, 'peer.config.yaml')
  }

  async status(): Promise<readonly Shown[]> {
    const { stdout } = await this.command('status', '--json')
    const { peers }: { peers: Shown[] } = JSON.parse(stdout)
    return peers
  }

  /** Invokes at a validator and waits until the transaction is in a block there. */
  async invoke(index: number): Promise<void> {
    const client = new TestClient(`127.0.0.1:${this.port + 10 * index + 1}`)
    try {
      expect((await client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome.status).toBe('committed')
    } finally {
      client.close()
    }
  }

  /** Waits until all validators that run have one head, and returns them. */
  async inStep(): Promise<readonly Shown[]> {
    let running: readonly Shown[] = []
    await until(
      'the validators are in step',
      async () => {
        running = (await this.status()).filter(({ state }) => state !== 'stopped')
        return running.every(
          ({ headHash, stateHash, state }) => state === 'running' && headHash === running[0]?.headHash && stateHash === running[0]?.stateHash,
        )
      },
      60_000,
    )
    return running
  }
}

test('a devnet orders at every validator, loses its primary, and takes back the dead one and one without its disk', { timeout: 600_000 }, async () => {
  const devnet = await TestDevnet.create(4)
  await devnet.up('--port', String(devnet.port), '--set', 'logging.node=info')
  expect(readFileSync(devnet.file('vp2'), 'utf8')).toContain('id: "vp2"')
  for (const index of [0, 1, 2, 3]) await devnet.invoke(index)
  expect((await devnet.inStep()).map(({ links, view, leader }) => [links?.length, view, leader])).toEqual(Array.from({ length: 4 }, () => [3, 0, 'vp0']))

  await devnet.command('down', 'vp3')
  await devnet.invoke(1)
  expect(await devnet.command('down', 'vp0', '--kill')).toMatchObject({ code: 0 })
  expect((await devnet.command('status')).code).toBe(1)
  await devnet.up('vp3')
  await devnet.invoke(2)
  const without = await devnet.inStep()
  expect(without.map(({ id }) => id)).toEqual(['vp1', 'vp2', 'vp3'])
  expect(Number(without[0]?.view)).toBeGreaterThan(0)

  const back = await devnet.command('up', '--timeout', '90')
  expect(back).toMatchObject({ code: 0 })
  expect(back.stderr).toContain('vp0 had crashed or was killed')
  await devnet.command('down', 'vp2', '--wipe')
  await devnet.invoke(1)
  await devnet.up()
  await devnet.invoke(0)
  const all = await devnet.inStep()
  expect(all).toHaveLength(4)
  expect(new Set(all.map(({ height }) => String(height)))).toEqual(new Set(['9']))

  const logs = await devnet.command('logs', '--lines', '1000', 'vp1')
  expect(logs.stdout).toContain('consensus engine started')
  expect(await devnet.command('down')).toMatchObject({ code: 0, stdout: 'Stopped vp0, vp1, vp2, vp3.\n' })
  expect((await devnet.status()).map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped', 'stopped'])
})

test('a devnet with TLS, what differs from the rest is refused by its key, and mistakes are named', { timeout: 600_000 }, async () => {
  const devnet = await TestDevnet.create(2)
  const taken = await listen(devnet.port + 11)
  const refused = await devnet.command('up', '--validators', '2', '--port', String(devnet.port))
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(`127.0.0.1:${devnet.port + 11} (vp1, peers and clients): in use`)
  taken?.close()
  expect((await devnet.command('status')).stderr).toContain('there is no devnet')
  expect((await devnet.command('up', '--set', 'peer.id=me')).stderr).toContain('the devnet sets this key itself')
  expect((await devnet.command('up', '--set', 'pbft.general.k=2')).code).toBe(1)

  await devnet.up('--validators', '2', '--tls', '--port', String(devnet.port))
  expect((await devnet.inStep()).map(({ links }) => links?.length)).toEqual([1, 1])
  expect((await runProgram(['--config', devnet.file('vp1'), 'consensus', 'status'], { cwd: devnet.directory })).stdout).toContain('vp1 orders transactions')
  expect((await devnet.command('up', '--validators', '3')).stderr).toContain('holds another devnet')

  await devnet.command('down', 'vp1')
  const file = devnet.file('vp1')
  writeFileSync(file, `${readFileSync(file, 'utf8')}ledger:\n  state:\n    dataStructure:\n      name: trie\n`)
  await devnet.command('down', 'vp1', '--wipe')
  expect((await devnet.command('up', '--timeout', '3')).stderr).toContain('vp0: it is not connected to vp1')
  expect((await devnet.command('logs', 'vp1')).stdout).toContain(
    'ERR_NETWORK_SETTINGS: validators must agree on ledger.state.dataStructure.name: vp1 has trie, vp0 has buckettree',
  )
  const gone = await devnet.command('down', '--wipe')
  expect(gone.stdout).toContain('deleted')
})

test('a measurement that is interrupted ends its network and deletes its files', { timeout: 240_000 }, async () => {
  const cwd = temporaryDirectory()
  const bench = new Program(['bench', '--validators', '2', '--seconds', '60', 'low'], { cwd, env: { TMPDIR: cwd } })
  const pids = (): number[] =>
    readdirSync(cwd, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('peer.pid'))
      .map((name) => Number(readFileSync(join(cwd, name), 'utf8')))
  await bench.until('its network runs', () => pids().length === 2)
  const found = pids()
  bench.signal('SIGTERM')
  expect(await bench.ended).toMatchObject({ code: 143, stdout: '', stderr: 'interrupted: the network is ended\n' })
  // Who has let go of its data is about to end.
  await until('its processes are gone', async () => found.every((pid) => !existsSync(`/proc/${pid}`)))
  expect(readdirSync(cwd)).toEqual([])
})

test('a devnet whose peers cannot run leaves nothing behind, and what was there before it as it was', { timeout: 120_000 }, async () => {
  const devnet = await TestDevnet.create(1)
  const own = join(devnet.directory, 'weft-devnet')
  const broken = join(devnet.directory, 'broken')
  mkdirSync(broken)
  writeFileSync(join(broken, 'package.json'), JSON.stringify({ name: 'broken', version: '1.0.0', type: 'module', exports: './index.js' }))
  writeFileSync(join(broken, 'index.js'), 'throw new Error("this one does not load")')
  const up = () => devnet.command('up', '--validators', '1', '--engine', 'raft', '--port', `${devnet.port}`, '--with', './broken')
  const { code, stderr } = await up()
  expect([code, stderr]).toEqual([1, expect.stringMatching(/does not load[\s\S]*Nothing is left of this devnet/)])
  expect(existsSync(own)).toBe(false)
  mkdirSync(join(own, 'vp0'), { recursive: true })
  writeFileSync(join(own, 'vp0', 'notes'), 'mine')
  expect((await up()).code).toBe(1)
  expect([readdirSync(own), readFileSync(join(own, 'vp0', 'notes'), 'utf8')]).toEqual([['vp0'], 'mine'])
})
