import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { preparePeer, startPeer, type TestPeer, until } from './support/peer.js'
import { enginesBelow } from './support/processes.js'
import { ROOT, runProgram } from './support/program.js'

const HOSTILE = join(ROOT, 'test/engines/packages/hostile')
/** What is started by this may not make user namespaces, as on machines whose administrators forbid them: neither bwrap nor unshare works then. */
const FORBIDDEN = ['unshare', '-rm', 'bash', '-c', 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', 'bash']
const [file = '', ...rest] = FORBIDDEN
const isForbidding = spawnSync(file, [...rest, 'bash', '-c', '! unshare -r true']).status === 0

async function orders(peer: TestPeer, engine: string): Promise<void> {
  expect((await peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome).toMatchObject({ status: 'committed' })
  const { stdout } = await peer.cli('consensus', 'status', '--json')
  expect(JSON.parse(stdout)).toMatchObject({ engine, halted: '' })
}

describe('an engine that was installed', () => {
  it('runs inside the peer if the site trusts its name, also after a restart', { timeout: 240_000 }, async () => {
    const peer = await startPeer({ set: { 'consensus.trusted': 'hostile', 'consensus.isolation.sandbox': process.env['WEFT_SANDBOX'] ?? 'auto' } })
    const installed = await peer.cli('engine', 'install', HOSTILE, '--json')
    expect(JSON.parse(installed.stdout)).toMatchObject({ name: 'hostile', outcome: 'installed' })
    const swapped = await peer.cli('consensus', 'swap', 'hostile', '--allow-weaker')
    expect(swapped.code, swapped.stderr).toBe(0)
    await orders(peer, 'hostile')
    // The one that was asked who it is has answered, and is gone.
    await until('no process of it is there', () => enginesBelow(peer.program.pid).length === 0)
    await peer.stop()
    await peer.start()
    await orders(peer, 'hostile')
    await until('no process of it is there', () => enginesBelow(peer.program.pid).length === 0)
  })
})

describe.skipIf(!isForbidding)('where no sandbox is permitted', () => {
  it('engines from packages are refused, with what to do about it', { timeout: 240_000 }, async () => {
    const peer = await preparePeer({ through: FORBIDDEN, set: { 'peer.validator.consensus.plugin': 'hostile', 'consensus.engines': HOSTILE } })
    onTestFinished(() => peer.dispose())
    const started = await peer.launch().ended
    expect(started.code).toBe(1)
    expect(started.stderr).toMatch(/no sandbox works on this machine \(bwrap: .*; unshare: .*\)/s)
    expect(started.stderr).toContain('allow unprivileged user namespaces; or set the sandbox to none')
    const refused = await runProgram(['engine', 'install', HOSTILE], { ...peer.options, through: FORBIDDEN })
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([1, '', expect.stringContaining('no sandbox works on this machine')])
    expect((await peer.cli('engine', 'list')).stdout).toContain('no engine is installed')
  })

  it('they run without one if the site says so, and the peer warns of it', { timeout: 240_000 }, async () => {
    const set = { 'peer.validator.consensus.plugin': 'hostile', 'consensus.engines': HOSTILE, 'consensus.isolation.sandbox': 'none' }
    const peer = await startPeer({ through: FORBIDDEN, set })
    expect(peer.program.stderr).toContain('isolated engines run without a sandbox: they can do whatever this peer may do')
    await orders(peer, 'hostile')
    // Still a process of its own.
    expect(enginesBelow(peer.program.pid)).toHaveLength(1)
  })
})
