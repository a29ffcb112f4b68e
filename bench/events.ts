import { resolve } from 'node:path'
import { invocation, pacedLoad } from './load.js'
import { startNode } from './measured-process.js'
import { type BenchPeer, startPeer } from './peer.js'
import type { Row } from './report.js'

const COUNTS = [0, 1, 100] as const
const OFFERED_PER_SECOND = 1000
const ROUNDS = 3
const WARM_UP_SECONDS = 5

/** What the event hub costs: the same steady load beside 0, 1 and 100 consumers of blocks, in turns, so that a busy machine changes all alike. */
export async function eventScenario(seconds: number): Promise<Row[]> {
  const peer = await startPeer()
  try {
    const request = invocation('example02', ['invoke', 'a', 'b', '1'])
    const load = (duration: number) => pacedLoad(peer.client, peer.process, request, OFFERED_PER_SECOND, duration)
    await beside(peer, 1, () => load(WARM_UP_SECONDS))
    const results = COUNTS.map((count) => ({ count, committed: 0, blocks: 0, cpuMicros: 0, perSecond: 0, peakMiB: 0 }))
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const result of results) {
        const measured = await beside(peer, result.count, () => load(seconds))
        result.cpuMicros += measured.cpuMicros * measured.committed
        result.committed += measured.committed
        result.blocks += measured.blocks
        result.perSecond += measured.perSecond / ROUNDS
        result.peakMiB = measured.peakMiB
      }
    }
    const alone = (results[0]?.cpuMicros ?? 0) / (results[0]?.committed ?? 1)
    return results.map(({ count, committed, blocks, cpuMicros, perSecond, peakMiB }) => {
      const each = cpuMicros / committed
      const more = count === 0 ? '' : `, ${(100 * (each / alone - 1)).toFixed(1)} % more CPU`
      const note = `${committed} committed in ${blocks} blocks${more}`
      return { name: `invoke, ${count} event consumers`, perSecond, cpuMicros: each, echoMicros: undefined, p50Ms: undefined, p99Ms: undefined, peakMiB, note }
    })
  } finally {
    await peer.stop()
  }
}

async function beside<T>(peer: BenchPeer, consumers: number, measure: () => Promise<T>): Promise<T> {
  if (consumers === 0) return measure()
  const process = startNode([resolve('.cache/bench/event-consumers.mjs'), peer.eventsAddress, String(consumers)], '.')
  try {
    await new Promise((ready) => process.child.stdout?.once('data', ready))
    return await measure()
  } finally {
    await process.stop()
  }
}
