import { join } from 'node:path'
import { expect, it, describe } from 'vitest'
import { engineViewOf } from '../../plugins/consensus/aids/report-view.js'
import { type ConsensusReport, ConsensusToolsService } from '../../proto/index.js'
import { startPeer, type TestPeer, until } from './support/peer.js'
import { enginesBelow } from './support/processes.js'
import { ROOT } from './support/program.js'

const HOSTILE = join(ROOT, 'test/engines/packages/hostile')
const SETTINGS = {
  'peer.validator.consensus.plugin': 'hostile',
  'consensus.isolation.sandbox': process.env['WEFT_SANDBOX'] ?? 'auto',
  'consensus.isolation.maxMemoryMiB': '160',
  'consensus.isolation.maxHandlerMs': '1000',
}

/** By a call, which costs nothing: a command is a process each time. */
const statusOf = (peer: TestPeer): Promise<ConsensusReport> => peer.client.call(ConsensusToolsService.status, {})

const delivered = async (peer: TestPeer): Promise<unknown> => engineViewOf(await statusOf(peer))['delivered']

/** One may end with the other: the sandbox and what runs in it. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

describe('an engine in a process of its own, of a real peer', () => {
  it('orders transactions, and goes on from its records after its process was killed', async () => {
    const peer = await startPeer({ set: { ...SETTINGS, 'consensus.engines': HOSTILE } })
    expect((await peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome).toMatchObject({ status: 'committed' })
    await peer.program.until('its record is there', async () => (await delivered(peer)) === 1)
    for (const { pid } of enginesBelow(peer.program.pid)) killIfThere(pid)
    expect((await peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome).toMatchObject({ status: 'committed' })
    await peer.program.until('the new process says so', async () => (await delivered(peer)) === 2)
    const { stdout } = await peer.cli('consensus', 'status', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'hostile', version: '0.6.6', halted: '', engineView: { begunWith: 1 } })
    expect(await peer.client.query('example02', 'query', 'b')).toBe('1000002')
    const { pid } = peer.program
    await peer.stop()
    expect(peer.program.stderr).toContain('the process of the consensus engine is gone')
    expect(() => enginesBelow(pid)).toThrow(/ENOENT/)
  })

  it.each([
    ['throw', /threw in 'request': I will not/],
    ['flood', /may ask for 10000 effects/],
    ['nonsense', /broke the rules of its pipe/],
    ['loop', /did not answer 'request' within 1000 ms/],
    ['allocate', /its process ended \d times in a row|threw in 'request'/],
    ['exit', /its process ended 4 times in a row/],
  ])('that does %s is halted with the reason; the peer stays up and answers', { timeout: 240_000 }, async (deed, reason) => {
    const peer = await startPeer({ set: { ...SETTINGS, 'consensus.engines': HOSTILE } })
    await peer.client.invoke('example02', `deed:${deed}`, 'a', 'b', '1')
    await peer.program.until('it is halted', async () => (await statusOf(peer)).halted !== '')
    expect((await statusOf(peer)).halted).toMatch(reason)
    expect(await peer.client.query('example02', 'query', 'a')).toBe('1000000')
    await expect(peer.client.invoke('example02', 'invoke', 'a', 'b', '1')).rejects.toThrow(/orders no transactions: its engine is halted/)
    await until('its process is gone', () => enginesBelow(peer.program.pid).length === 0)
  })

  it('is installed while the peer runs, swapped in, and not removed while it orders', { timeout: 240_000 }, async () => {
    const peer = await startPeer({ set: { 'consensus.isolation.sandbox': SETTINGS['consensus.isolation.sandbox'] } })
    const installed = await peer.cli('engine', 'install', HOSTILE, '--json')
    expect(JSON.parse(installed.stdout)).toMatchObject({ name: 'hostile', version: '0.6.6', outcome: 'installed' })
    expect((await peer.cli('engine', 'list')).stdout).toContain('hostile@0.6.6')
    const swapped = await peer.cli('consensus', 'swap', 'hostile', '--allow-weaker')
    expect(swapped.code, swapped.stderr).toBe(0)
    expect((await peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome).toMatchObject({ status: 'committed' })
    expect(await statusOf(peer)).toMatchObject({ engine: 'hostile', version: '0.6.6', halted: '' })
    const refused = await peer.cli('engine', 'remove', 'hostile@0.6.6')
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('it orders transactions on this peer')])
    await peer.stop()
    const again = await peer.cli('engine', 'remove', 'hostile@0.6.6')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('it ran last on this peer')])
    expect((await peer.cli('engine', 'remove', 'hostile@0.6.6', '--force')).stdout).toMatch(/^removed hostile@0\.6\.6 from \S+\n$/)
    expect((await peer.cli('engine', 'list')).stdout).toContain('no engine is installed')
  })
})
