import { expect, test } from 'vitest'
import { ChainFollower, Load, randomFrom } from './support/load.js'
import { startPeer } from './support/peer.js'
import { pause } from './support/program.js'
import { expectSound } from './support/verify.js'

/** WEFT_KILLS=100 for the long run; WEFT_SEED repeats the moments of a run, as far as real processes can be repeated. */
const KILLS = Number(process.env['WEFT_KILLS'] ?? 8)
const SEED = Number(process.env['WEFT_SEED'] ?? Date.now() % 1_000_000)
const VERIFY_EVERY = 4

test(`${KILLS} times kill -9 under load: nothing accepted is lost, nothing is doubled (WEFT_SEED=${SEED})`, { timeout: 240_000 + KILLS * 60_000 }, async () => {
  const random = randomFrom(SEED)
  const peer = await startPeer()
  const chain = new ChainFollower()
  const totals = { accepted: 0, committed: 0, unanswered: 0 }

  for (let kill = 1; kill <= KILLS; kill++) {
    const load = new Load(peer.client, random)
    await pause(random() * 900)
    await peer.killHard()
    const { accepted, committed, unanswered } = await load.stop()
    totals.accepted += accepted.size
    totals.committed += committed.size
    totals.unanswered += unanswered

    if (kill % VERIFY_EVERY === 0) await expectSound(peer, '--offline')
    await peer.start()
    const missing = () => [...accepted].filter((txid) => !chain.positions.has(txid))
    await peer.program.until(`what was accepted before kill ${kill} is committed`, async () => {
      await chain.follow(peer.client)
      return missing().length === 0
    })
    for (const [txid, { status, block, rest }] of committed) {
      expect({ status, ...chain.positions.get(txid) }, `transaction ${txid} was reported in block ${block}`).toEqual({
        status: 'committed',
        block,
        index: Number(rest),
      })
    }
    expect(chain.twice).toEqual([])
    expect(await chain.wrongBalances(peer.client)).toEqual([])
  }

  expect(await expectSound(peer)).toBeGreaterThan(BigInt(KILLS))
  expect(totals.committed).toBeGreaterThan(0)
  expect(totals.accepted).toBeGreaterThan(totals.committed)
  process.stdout.write(
    `${KILLS} kills: ${totals.accepted} accepted, ${totals.committed} of them reported committed, ${totals.unanswered} unanswered, ${chain.positions.size} in blocks\n`,
  )
})
