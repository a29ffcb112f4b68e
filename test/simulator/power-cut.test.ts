import { describe, expect, it } from 'vitest'
import { createLedger } from '../../plugins/ledger/index.js'
import { noops } from '../../plugins/noops/index.js'
import { createLevelDisk, createRandom, type LedgerOpener, makeTransaction, Simulation } from '../kit/index.js'

/** All of them: WEFT_POWER_CUTS=10000. */
const CUTS = Number(process.env['WEFT_POWER_CUTS'] ?? 200)
const FIRST_SEED = Number(process.env['WEFT_POWER_CUTS_SEED'] ?? 1)
const CUTS_PER_PEER = 25

const openLedger: LedgerOpener = (store, clock) =>
  createLedger({ store, clock, settings: { numBuckets: 23, maxGroupingAtEachLevel: 3, deltaHistorySize: 5 }, genesis: true })

/** One validator through `cuts` power cuts under load. Returns what happened. */
async function cutPower(seed: number, cuts: number): Promise<{ accepted: number; blocks: number; cutsWhileStarting: number }> {
  const simulation = new Simulation({
    seed,
    members: 1,
    engine: { factory: noops, options: { 'block.size': 5, 'block.wait': '20ms', batching: seed % 2 === 0 ? 'fixed' : 'adaptive' } },
    openLedger,
    makeDisk: (time, random) => createLevelDisk(time, random, { minWriteMs: 0.5, maxWriteMs: 3 }),
  })
  const peer = simulation.peer(0)
  const random = createRandom(seed).fork('power cuts')
  let submitted = 0
  let cutsWhileStarting = 0
  const load = (): void => {
    submitted += 1
    peer.submit(makeTransaction(`t${submitted}`, { fails: random.chance(0.05), bytes: 1 + random.below(200) }))
    simulation.time.schedule(random.between(0, 6), load)
  }
  load()
  peer.start()
  for (let cut = 0; cut < cuts; cut += 1) {
    let isCut = false
    const powerCut = (): void => {
      isCut = true
      peer.disk.onWrite = undefined
      if (!peer.host) cutsWhileStarting += 1
      peer.crash('power')
    }
    if (cut > 0 && random.chance(0.5)) simulation.time.schedule(random.between(0, 60), powerCut)
    else {
      // After a write, before anybody is told of it: between any two writes.
      let writesLeft = 1 + random.below(cut === 0 ? 5 : 25)
      peer.disk.onWrite = () => {
        writesLeft -= 1
        if (writesLeft === 0) powerCut()
      }
    }
    await simulation.runUntil('the power is cut', () => isCut, 10_000)
    peer.start()
    if (random.chance(0.1)) await simulation.runUntil('the peer runs and has committed what it accepted before', () => simulation.invariants.unfinished().length === 0, 10_000)
    if (random.chance(0.05)) await simulation.checkAll()
  }
  const isOver = (): boolean => peer.host?.status().pendingRequests === 0 && simulation.invariants.unfinished().length === 0
  await simulation.runUntil('everything accepted is committed and nobody waits', isOver, 60_000)
  await simulation.checkAll()
  expect([...peer.refusals.keys()]).toEqual([])
  return { accepted: simulation.invariants.acceptedCount, blocks: simulation.invariants.heightOf(0), cutsWhileStarting }
}

describe('a validator whose power is cut at any moment', () => {
  it(
    `restarts by itself ${CUTS} times: on a block boundary, verified, with everything reported and accepted, nothing twice`,
    async () => {
      const total = { accepted: 0, blocks: 0, cutsWhileStarting: 0, cuts: 0 }
      for (let seed = FIRST_SEED; total.cuts < CUTS; seed += 1) {
        try {
          const { accepted, blocks, cutsWhileStarting } = await cutPower(seed, Math.min(CUTS_PER_PEER, CUTS - total.cuts))
          total.accepted += accepted
          total.blocks += blocks
          total.cutsWhileStarting += cutsWhileStarting
          total.cuts += Math.min(CUTS_PER_PEER, CUTS - total.cuts)
        } catch (cause) {
          throw new Error(`after ${total.cuts} cuts: WEFT_POWER_CUTS_SEED=${seed}`, { cause })
        }
      }
      process.stdout.write(`power cuts: ${JSON.stringify(total)}\n`)
      expect(total.accepted).toBeGreaterThan(CUTS)
      expect(total.blocks).toBeGreaterThan(CUTS)
    },
    3_600_000,
  )
})
