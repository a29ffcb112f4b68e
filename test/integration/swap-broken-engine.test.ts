import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type ConsensusReport, ConsensusToolsService } from '../../proto/index.js'
import { prepareNetwork, untilMeshed } from './support/network.js'
import { type TestPeer, until } from './support/peer.js'
import { ROOT } from './support/program.js'

/** The example that breaks when it is told to, in a process of its own on each validator. */
const set = {
  'consensus.engines': join(ROOT, 'examples/fragile-engine'),
  'peer.validator.consensus.plugin': 'fragile',
  'consensus.isolation.sandbox': process.env['WEFT_SANDBOX'] ?? 'auto',
  'consensus.isolation.maxHandlerMs': '5000',
}

const statusOf = (peer: TestPeer): Promise<ConsensusReport> => peer.client.call(ConsensusToolsService.status, {})

it('an engine that breaks: the peer answers and says why, restart-engine brings it back, and recover the network', { timeout: 600_000 }, async () => {
  const peers = await prepareNetwork({ peers: 2, set })
  for (const peer of peers) peer.launch()
  for (const peer of peers) await until(`${peer.address} answers`, () => peer.isAnswering(), 90_000)
  await untilMeshed(peers)
  const [leader, broken] = peers
  if (!leader || !broken) throw new Error('two peers')
  const committed = async (): Promise<void> => {
    const { outcome } = await leader.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')
    expect(outcome).toMatchObject({ status: 'committed' })
    const { height } = await leader.client.info()
    for (const peer of peers) await until(`height ${height}`, async () => (await statusOf(peer)).height >= height)
  }
  await committed()
  for (const [deed, why] of [
    ['throw', /threw in 'timer': it was told to break/],
    ['flood', /may ask for 10000 effects/],
  ] as const) {
    expect((await leader.client.invokeAndWait('example02', `break:${deed}@1`)).outcome).toMatchObject({ status: 'rejected' })
    await until('it is halted', async () => (await statusOf(broken)).halted !== '')
    expect((await statusOf(broken)).halted).toMatch(why)
    expect(await broken.client.query('example02', 'query', 'a')).toMatch(/^\d+$/)
    await expect(broken.client.invoke('example02', 'invoke', 'a', 'b', '1')).rejects.toThrow(/orders no transactions: its engine is halted/)
    const restarted = await broken.cli('consensus', 'restart-engine')
    expect([restarted.code, restarted.stdout]).toEqual([0, 'fragile 1.0.0 of epoch 0 was begun again\n'])
    await committed()
  }

  // One that does not return is killed, and begun anew from its records by itself.
  await leader.client.invokeAndWait('example02', 'break:loop@1')
  await until('it is killed', () => /it did not answer 'timer' within 5000 ms/.test(broken.program.stderr))
  expect(await broken.client.query('example02', 'query', 'a')).toMatch(/^\d+$/)
  await committed()
  expect((await statusOf(broken)).halted).toBe('')

  // Who makes the blocks is gone, so nothing can be ordered, a swap neither. What the others accepted meanwhile is in their journals.
  await leader.client.invokeAndWait('example02', 'break:throw@0')
  await until('it is halted', async () => (await statusOf(leader)).halted !== '')
  const swapped = await leader.cli('consensus', 'set', 'anything=1')
  expect([swapped.code, swapped.stderr]).toEqual([
    1,
    expect.stringMatching(
      /\nError: nothing can be ordered through this validator, its engine fragile is halted: .*it was told to break at \S.*index\.js:\d+.*\n.*peer consensus restart-engine.*peer consensus recover.*runbook\.md.*\n$/,
    ),
  ])
  await broken.client.invoke('example02', 'invoke', 'a', 'b', '100')
  const recovered = await Promise.all(peers.map((peer) => peer.cli('consensus', 'recover', 'fragile')))
  for (const { code, stdout, stderr } of recovered)
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('epoch 1 has started, after a recovery'), expect.anything()])
  await until('what was accepted is committed', async () => (await leader.client.query('example02', 'query', 'b')) === '1000104')
  await committed()
  const heads = await Promise.all(peers.map(async (peer) => Buffer.from((await statusOf(peer)).headHash).toString('hex')))
  expect(new Set(heads).size).toBe(1)
  const history = await leader.cli('consensus', 'history')
  expect(history.stdout.replaceAll(/\n +/g, ' ')).toMatch(
    /^epoch 0: fragile 1\.0\.0, blocks 0 to \d+, options .*\nepoch 1: fragile 1\.0\.0, blocks \d+ to \d+, after a recovery, options /,
  )
})
