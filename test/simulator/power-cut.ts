import { createLedger } from '../../plugins/ledger/index.js'
import type { StoreOptions } from '../../plugins/level/index.js'
import { noops } from '../../plugins/noops/index.js'
import { createLevelDisk, createRandom, type LedgerOpener, makeTransaction, Simulation } from '../kit/index.js'

/** The real ledger with a small bucket tree and a short history, so that everything about it happens soon. */
export const openRealLedger: LedgerOpener = (store, clock) =>
  createLedger({ store, clock, settings: { numBuckets: 23, maxGroupingAtEachLevel: 3, deltaHistorySize: 5 }, genesis: true })

/** What a mutant replaces. */
export interface PowerCutParts {
  readonly store?: StoreOptions
  readonly openLedger?: LedgerOpener
}

/**
 * One validator with noops, the real store and the real ledger through `cuts` power cuts under load; each time it restarts by itself.
 * Returns what happened; throws the first invariant that broke.
 */
export async function cutPower(
  seed: number,
  cuts: number,
  parts: PowerCutParts = {},
): Promise<{ accepted: number; blocks: number; cutsWhileStarting: number }> {
  const simulation = new Simulation({
    seed,
    members: 1,
    engine: { factory: noops, options: { 'block.size': 5, 'block.wait': '20ms', batching: seed % 2 === 0 ? 'fixed' : 'adaptive' } },
    openLedger: parts.openLedger ?? openRealLedger,
    makeDisk: (time, random) => createLevelDisk(time, random, { minWriteMs: 0.5, maxWriteMs: 3 }, parts.store),
  })
  const peer = simulation.peer(0)
  const random = createRandom(seed).fork('power cuts')
  const submitted: Uint8Array[] = []
  let cutsWhileStarting = 0
  const load = (): void => {
    // A client that got no answer asks again, and cannot know whether it was accepted, or even committed.
    const isAgain = submitted.length > 0 && random.chance(0.15)
    const bytes = isAgain
      ? random.pick(submitted.slice(-30))
      : makeTransaction(`t${submitted.length}`, { fails: random.chance(0.05), bytes: 1 + random.below(200) })
    if (!isAgain) submitted.push(bytes)
    peer.submit(bytes)
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
    if (random.chance(0.1))
      await simulation.runUntil('the peer runs and has committed what it accepted before', () => simulation.invariants.unfinished().length === 0, 2_000)
    if (random.chance(0.05)) await simulation.checkAll()
  }
  const isOver = (): boolean => peer.host?.status().pendingRequests === 0 && simulation.invariants.unfinished().length === 0
  await simulation.runUntil('everything accepted is committed and nobody waits', isOver, 5_000)
  await simulation.checkAll()
  if (peer.refusals.size > 0) throw new Error(`expected that every request is accepted, found ${[...peer.refusals.keys()].join(', ')}`)
  return { accepted: simulation.invariants.acceptedCount, blocks: simulation.invariants.heightOf(0), cutsWhileStarting }
}
