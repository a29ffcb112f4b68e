import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writeLeaderSite } from './support/leader-site.js'
import { prepareNetwork, untilMeshed } from './support/network.js'
import { type TestPeer, until } from './support/peer.js'
import { pause } from './support/program.js'
import { expectSound, ledgerInfo } from './support/verify.js'

const INVOKES_AT_ONCE = 50

async function invoke(peer: TestPeer, count: number): Promise<void> {
  for (let done = 0; done < count; done += INVOKES_AT_ONCE) {
    await Promise.all(Array.from({ length: INVOKES_AT_ONCE }, (_, index) => peer.client.invoke('example02', 'invoke', `from${index}`, `to${done}`, '1')))
  }
}

/** Waits until two running peers have the same chain and state. */
async function untilInStep(peer: TestPeer, leader: TestPeer): Promise<void> {
  await until('the peers are in step', async () => JSON.stringify(await ledgerInfo(peer)) === JSON.stringify(await ledgerInfo(leader)))
}

test('a peer that was away for hundreds of blocks, was killed while it caught up, or lost its disk, is in step again', { timeout: 600_000 }, async () => {
  const peers = await prepareNetwork({ peers: 3, set: { 'peer.validator.consensus.plugin': 'leader' } })
  writeLeaderSite(peers)
  const [leader, steady, away] = peers
  if (!leader || !steady || !away) throw new Error('three peers')
  await Promise.all(peers.map((peer) => peer.start()))
  await untilMeshed(peers)
  await invoke(leader, 100)
  await untilInStep(away, leader)

  // Deltas: fewer than statetransfer.maxdeltas behind.
  await away.killHard()
  await invoke(leader, 100)
  await leader.untilHeight(201n)
  await away.start()
  await untilInStep(away, leader)

  // A snapshot: further behind, killed again and again on the way, while the others go on.
  await away.killHard()
  await invoke(leader, 400)
  for (let i = 1; i <= 3; i++) {
    await away.start()
    await pause(i * 150)
    await away.killHard()
    await invoke(leader, 50)
  }
  await leader.untilHeight(751n)
  await away.start()
  await untilInStep(away, leader)

  // Nothing left at all.
  await away.killHard()
  rmSync(away.data, { recursive: true, force: true })
  await away.start()
  await untilInStep(away, leader)
  expect(await expectSound(away)).toBe(751n)
  expect(await away.client.query('example02', 'query', 'from0')).toBe(await leader.client.query('example02', 'query', 'from0'))
  await untilInStep(steady, leader)
})
